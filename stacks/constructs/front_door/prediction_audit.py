"""The way of what is written down of each prediction: from the functions' logs into Parquet files.

A function writes a line to its log, which costs its caller nothing; subscription filters take these lines out, and a
delivery stream turns them into columns.
"""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from lambdas.contract import AUDIT_COLUMNS, AUDIT_ERRORS_PREFIX, AUDIT_PREFIX
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.log_delivery import log_processors, sender, subscribe
from stacks.constructs.log_group import RetainedLogs, removal_policy
from stacks.constructs.permissions import allow, use_key_of

AUDITED_LINES = '{ $.record = "prediction" }'
"""Nothing else that the functions log looks like it."""

_HOUR_FORMAT = "yyyy/MM/dd/HH"
_HOUR = f"!{{timestamp:{_HOUR_FORMAT}}}/"
_PARTITION = "datehour"
_SECONDS = 300
_MEGABYTES = 64
"""The least that Firehose takes where it converts formats."""

_ERRORS_STREAM = "delivery"

_Stream = firehose.CfnDeliveryStream


class PredictionAudit(Construct):
    """A delivery stream to Parquet files, the table that names their columns, and roles and a log for it.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    name
        SageMaker name of the endpoint.
    retention_days
        For how long files are kept.
    """

    def __init__(self, scope: Construct, construct_id: str, *, shared: Shared, name: str, retention_days: int) -> None:
        super().__init__(scope, construct_id)
        self._shared, self._name, self._retention_days = shared, name, retention_days
        self._stack = Stack.of(self)
        self._bucket = self._stack.format_arn(
            service="s3", account="", region="", resource=shared.names.artefact_bucket
        )
        self._database_name = f"tidegate_{name}_audit".replace("-", "_")
        table = self._columns()
        self._log = RetainedLogs(self, "Log", environment=shared.environment, key=shared.key)
        errors = logs.CfnLogStream(
            self, "Errors", log_group_name=self._log.log_group_name, log_stream_name=_ERRORS_STREAM
        )
        errors.apply_removal_policy(removal_policy(shared.environment))
        role = self._delivery_role()
        self._stream = _Stream(
            self,
            "Stream",
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                _Stream.DeliveryStreamEncryptionConfigurationInputProperty(
                    key_type="CUSTOMER_MANAGED_CMK", key_arn=shared.key.key_arn
                )
            ),
            extended_s3_destination_configuration=self._destination(role),
        )
        self._stream.node.add_dependency(role, errors, table)
        about = f"Sends what is written down of predictions of {name} to their delivery stream"
        self._sender = sender(self, about, "SendPredictions", self._stream)

    def take(self, construct_id: str, log_group: logs.ILogGroup) -> None:
        """Take what is written down in a log."""
        subscribe(self, construct_id, log_group, self._stream, self._sender, AUDITED_LINES)

    def _columns(self) -> glue.CfnTable:
        """A catalogue of its own, so that a query finds the files as well."""
        account = self._stack.account
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self._database_name, description=f"Predictions of {self._name}"
            ),
        )
        columns = [glue.CfnTable.ColumnProperty(name=name, type=kind) for name, kind in AUDIT_COLUMNS.items()]
        table = glue.CfnTable(
            self,
            "Table",
            catalog_id=account,
            database_name=self._database_name,
            table_input=glue.CfnTable.TableInputProperty(
                name="predictions",
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "parquet", **self._partitions()},
                partition_keys=[glue.CfnTable.ColumnProperty(name=_PARTITION, type="string")],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=columns,
                    location=self._location,
                    input_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
                    ),
                ),
            ),
        )
        table.node.add_dependency(database)
        return table

    @property
    def _location(self) -> str:
        return f"s3://{self._shared.names.artefact_bucket}/{AUDIT_PREFIX}/{self._name}/"

    def _partitions(self) -> dict[str, str]:
        """Return what tells Athena which hours there are and where they lie, so that a query reads those it asks for.

        Nobody has to add partitions: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-kinesis-firehose-example.html
        """
        # S3 removes what has expired once a day, and Firehose names hours by when records came.
        first = f"NOW-{self._retention_days + 2}DAYS"
        hour = f"projection.{_PARTITION}"
        return {
            "projection.enabled": "true",
            f"{hour}.type": "date",
            f"{hour}.format": _HOUR_FORMAT,
            f"{hour}.range": f"{first},NOW",
            f"{hour}.interval": "1",
            f"{hour}.interval.unit": "HOURS",
            "storage.location.template": f"{self._location}${{{_PARTITION}}}/",
        }

    def _destination(self, role: iam.Role) -> _Stream.ExtendedS3DestinationConfigurationProperty:
        return _Stream.ExtendedS3DestinationConfigurationProperty(
            bucket_arn=self._bucket,
            role_arn=role.role_arn,
            prefix=f"{AUDIT_PREFIX}/{self._name}/{_HOUR}",
            error_output_prefix=f"{AUDIT_ERRORS_PREFIX}/{self._name}/!{{firehose:error-output-type}}/{_HOUR}",
            buffering_hints=_Stream.BufferingHintsProperty(interval_in_seconds=_SECONDS, size_in_m_bs=_MEGABYTES),
            # The bucket's own key is what encrypts them: a stack knows another's key by its alias only.
            encryption_configuration=_Stream.EncryptionConfigurationProperty(no_encryption_config="NoEncryption"),
            processing_configuration=_Stream.ProcessingConfigurationProperty(
                enabled=True, processors=log_processors(on_lines=False)
            ),
            data_format_conversion_configuration=self._conversion(role),
            cloud_watch_logging_options=_Stream.CloudWatchLoggingOptionsProperty(
                enabled=True, log_group_name=self._log.log_group_name, log_stream_name=_ERRORS_STREAM
            ),
        )

    def _conversion(self, role: iam.Role) -> _Stream.DataFormatConversionConfigurationProperty:
        json = _Stream.DeserializerProperty(open_x_json_ser_de=_Stream.OpenXJsonSerDeProperty())
        parquet = _Stream.SerializerProperty(parquet_ser_de=_Stream.ParquetSerDeProperty(compression="SNAPPY"))
        return _Stream.DataFormatConversionConfigurationProperty(
            enabled=True,
            input_format_configuration=_Stream.InputFormatConfigurationProperty(deserializer=json),
            output_format_configuration=_Stream.OutputFormatConfigurationProperty(serializer=parquet),
            schema_configuration=_Stream.SchemaConfigurationProperty(
                catalog_id=self._stack.account,
                database_name=self._database_name,
                table_name="predictions",
                region=self._stack.region,
                role_arn=role.role_arn,
                version_id="LATEST",
            ),
        )

    def _delivery_role(self) -> iam.Role:
        account = {"StringEquals": {"aws:SourceAccount": self._stack.account}}
        role = iam.Role(
            self,
            "Role",
            description=f"Delivers what is written down of predictions of {self._name}",
            assumed_by=iam.ServicePrincipal("firehose.amazonaws.com", conditions=account),
        )
        for statement in self._statements():
            role.add_to_policy(statement)
        return role

    def _statements(self) -> Sequence[iam.PolicyStatement]:
        names = self._shared.names
        objects = [f"{self._bucket}/{prefix}/{self._name}/*" for prefix in (AUDIT_PREFIX, AUDIT_ERRORS_PREFIX)]
        bucket_actions = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        columns = [
            names.arn("glue", "catalog", None),
            names.arn("glue", "database", self._database_name),
            names.arn("glue", "table", f"{self._database_name}/predictions"),
        ]
        log = self._stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{self._log.log_group_name}:log-stream:{_ERRORS_STREAM}",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return [
            allow("WritePredictions", ["s3:AbortMultipartUpload", "s3:PutObject"], objects),
            allow("FindBucket", bucket_actions, [self._bucket]),
            allow("ReadColumns", ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"], columns),
            use_key_of(names, names.registry_key, "s3", "SealPredictions", "Decrypt", "GenerateDataKey"),
            allow("WriteLog", ["logs:PutLogEvents"], [log]),
        ]
