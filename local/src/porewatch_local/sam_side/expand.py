"""Expands a template without loops as CloudFormation would: `python expand.py TEMPLATE FOLDER
REGION` prints it. FOLDER is what the template's paths are relative to.

Runs in the SAM environment. cfn-lint does not look behind `AWS::Serverless`, so roles, event
sources and circles between them are seen only after this. Needs no credentials and no network.
State machines are put back as definitions, with placeholders replaced by an address, and with
clocks that are expressions replaced by a number: AWS accepts expressions there, cfn-lint's schema
does not yet.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import boto3
from samcli.yamlhelper import yaml_parse  # type: ignore[import-not-found]
from samtranslator.model.exceptions import (  # type: ignore[import-not-found]
    InvalidDocumentException,
)
from samtranslator.parser.parser import Parser  # type: ignore[import-not-found]
from samtranslator.translator.translator import Translator  # type: ignore[import-not-found]

ELSEWHERE = "s3://bucket/key"
"""Stands for code: the translator wants an address, and does not look there."""
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
CLOCKS = ("TimeoutSeconds", "HeartbeatSeconds")


def expanded(path: Path, folder: Path, region: str) -> dict[str, Any]:
    """The template after the SAM transform. Raises InvalidDocumentException."""
    template = json.loads(json.dumps(yaml_parse(path.read_text()), default=str))
    definitions = {}
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::LayerVersion":
                properties["ContentUri"] = ELSEWHERE
            case "AWS::Serverless::StateMachine" if "DefinitionUri" in properties:
                definitions[name] = (folder / properties["DefinitionUri"]).read_text()
                properties["DefinitionUri"] = ELSEWHERE
    template["Globals"]["Function"]["CodeUri"] = ELSEWHERE
    defaults = {n: p.get("Default", "") for n, p in template.get("Parameters", {}).items()}
    session = boto3.Session(region_name=region)
    whole: dict[str, Any] = Translator({}, Parser(), boto_session=session).translate(
        sam_template=template, parameter_values=defaults
    )
    for name, definition in definitions.items():
        _put_back(whole["Resources"][name]["Properties"], definition, region)
    return whole


def _put_back(properties: dict[str, Any], definition: str, region: str) -> None:
    address = f"arn:aws:lambda:{region}:123456789012:function:f"
    for field in ("DefinitionSubstitutions", "DefinitionS3Location"):
        properties.pop(field, None)
    whole = json.loads(PLACEHOLDER.sub(address, definition))
    for state in whole["States"].values():
        state.update({c: n for n, c in enumerate(reversed(CLOCKS), 1) if _is_expression(state, c)})
    properties["Definition"] = whole


def _is_expression(state: dict[str, Any], field: str) -> bool:
    return str(state.get(field, "")).startswith("{%")


if __name__ == "__main__":
    try:
        source, folder, region = sys.argv[1:]
        print(json.dumps(expanded(Path(source), Path(folder), region), indent=1))
    except InvalidDocumentException as wrong:
        for cause in wrong.causes:
            print(cause.message, file=sys.stderr)
        sys.exit(1)
