"""Where REST APIs differ from AWS's; the documentation shows this list."""

from localcloud.physics.limits import Limit

LIMITS: tuple[Limit, ...] = (
    Limit(
        "API Gateway",
        "Regional REST APIs with the integrations AWS_PROXY (functions, by their resource policy) and MOCK, and the "
        "authorisation types NONE, AWS_IAM and CUSTOM. HTTP and WebSocket APIs, private and edge-optimised endpoints, "
        "other integrations, Cognito, custom domains, caches, canaries, client certificates, imports, exports, binary "
        "media types, compression and mapping templates beyond variables are refused by name.",
        "All of these exist.",
    ),
    Limit(
        "API Gateway addresses",
        "An API is served on the cloud's own port, as plain HTTP/1.1, below /_aws/execute-api/<api>/<stage>/ and under "
        "the host <api>.execute-api.localhost. The address of AWS's form, which templates build, leads nowhere here: "
        "the cloud's status names the stages' URLs.",
        "https://<api>.execute-api.<region>.amazonaws.com/<stage>/, over TLS, which HTTP/2 clients may use as well.",
    ),
    Limit(
        "API Gateway throttles and quotas",
        "Stages' and usage plans' rates and quotas are exact, and quotas are counted from the cloud's start. A usage "
        "plan's throttles of single methods are refused by name. There is no limit of the account.",
        "They are targets, applied with best effort; 10,000 requests a second are the account's.",
    ),
    Limit(
        "API Gateway request size",
        "A request line and headers of more than 10,240 bytes are answered with 431, outside of all gateway responses. "
        "Bodies are read as UTF-8, and what is not UTF-8 is replaced by U+FFFD.",
        "The size is the same; the status of the refusal is not documented. Bodies are replaced as here.",
    ),
    Limit(
        "API Gateway and functions that are throttled",
        "Answered with 500, Internal server error.",
        "500 as well, by observation: it is not documented.",
    ),
    Limit(
        "API Gateway resource policies",
        "They are evaluated, without the caller's address: a condition on aws:SourceIp is an error.",
        "The address is known.",
    ),
    Limit(
        "API Gateway execution logs",
        "Access logs are written; execution logs (loggingLevel, dataTraceEnabled) and X-Ray traces are not.",
        "Both are.",
    ),
)
