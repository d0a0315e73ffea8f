"""Permissions of the Glue Data Catalog: each takes the catalog, the database and the table."""

from localcloud.front.permissions import Need, Params, Rule, Scope, Table


def _on_table(action: str, member: str) -> Rule:
    def needs(params: Params, scope: Scope) -> list[Need]:
        database, table = params["DatabaseName"], params[member]
        resources = ("catalog", f"database/{database}", f"table/{database}/{table}")
        return [Need(f"glue:{action}", scope.arn("glue", resource)) for resource in resources]

    return needs


def _on_database(action: str) -> Rule:
    def needs(params: Params, scope: Scope) -> list[Need]:
        resources = ("catalog", f"database/{params['Name']}")
        return [Need(f"glue:{action}", scope.arn("glue", resource)) for resource in resources]

    return needs


GLUE: Table = {
    "glue:GetTable": _on_table("GetTable", "Name"),
    "glue:GetTableVersion": _on_table("GetTableVersion", "TableName"),
    "glue:GetTableVersions": _on_table("GetTableVersions", "TableName"),
    "glue:GetDatabase": _on_database("GetDatabase"),
}
