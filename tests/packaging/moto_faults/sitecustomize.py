"""moto's faults, translated on the way to it; a folder for PYTHONPATH of the processes that deploy.

Chalice and our own code send what AWS wants. moto wants filter rules in lower case, OpenAPI 3 with a
description and an address behind every method, a server's own address in queue URLs, and templates without
the types that it does not know. It has no recursion configs: the file RECURSION_CONFIGS has them.
A call that REFUSED_CALL names is refused.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from botocore import handlers
from botocore.awsrequest import AWSResponse
from known_types import for_moto


def lower_case_filters(params: Any, **_: object) -> None:
    for targets in params["NotificationConfiguration"].values():
        for target in targets:
            for rule in target.get("Filter", {}).get("Key", {}).get("FilterRules", []):
                rule["Name"] = rule["Name"].lower()


def openapi_three(params: Any, **_: object) -> None:
    document = json.loads(params["body"])
    document.pop("swagger", None)
    document["openapi"] = "3.0.1"
    document["info"] = {**document["info"], "description": document["info"]["title"]}
    for methods in document["paths"].values():
        for method in methods.values():
            integration = method["x-amazon-apigateway-integration"]
            # The answer to a preflight request is made by API Gateway itself and asks nobody.
            integration.update({"uri": "", "httpMethod": "POST", **integration})
    params["body"] = json.dumps(document)


def known_types_only(params: Any, **_: object) -> None:
    body = json.loads(params["TemplateBody"])
    kept = for_moto(body)
    referred = {name: one for name, one in body["Outputs"].items() if _resource_of(one) in kept["Resources"]}
    params["TemplateBody"] = json.dumps({**kept, "Outputs": referred})


def _resource_of(output: Any) -> str:
    value = output["Value"]
    return value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]


def refuse(model: Any, **_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
    """The call that a test has chosen is answered as AWS answers those who may not."""
    if model.name != os.environ.get("REFUSED_CALL"):
        return None
    error = {"Code": "AccessDeniedException", "Message": f"You may not call {model.name}."}
    return AWSResponse("", 403, {}, None), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 403}}


handlers.BUILTIN_HANDLERS.append(("before-call", refuse))


def recursion_config(model: Any, params: Any, **_: object) -> tuple[AWSResponse, dict[str, Any]]:
    """What Lambda answers to either call (AWS Lambda, "PutFunctionRecursionConfig")."""
    if refused := refuse(model):
        return refused
    path = Path(os.environ["RECURSION_CONFIGS"])
    kept = json.loads(path.read_text()) if path.exists() else {}
    function = params["url_path"].split("/")[3]
    if model.name == "PutFunctionRecursionConfig":
        kept[function] = json.loads(params["body"])["RecursiveLoop"]
        path.write_text(json.dumps(kept))
    return AWSResponse("", 200, {}, None), {"RecursiveLoop": kept.get(function, "Terminate")}


for operation in ("GetFunctionRecursionConfig", "PutFunctionRecursionConfig"):
    handlers.BUILTIN_HANDLERS.append((f"before-call.lambda.{operation}", recursion_config))


TRANSLATED = {
    "s3.PutBucketNotificationConfiguration": lower_case_filters,
    "api-gateway.ImportRestApi": openapi_three,
    "api-gateway.PutRestApi": openapi_three,
    "cloudformation.CreateStack": known_types_only,
    "cloudformation.UpdateStack": known_types_only,
}
for operation, translate in TRANSLATED.items():
    handlers.BUILTIN_HANDLERS.append((f"before-parameter-build.{operation}", translate))
