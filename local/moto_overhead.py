"""What a request costs moto that it need not cost: half of the time of the calls that read a table.

It works out anew what is the same at every request: which service is meant (for which it lists its own folder
twice), the methods of a class, a name of AWS's in Python's spelling, the words of an expression, of which an
app has few. It imports a module whenever it looks at the clock, and draws long random names letter by letter.

It looks for each attribute value of an item under all ten types that a value may have, by several spellings
of each, and adds up the sizes of all attributes for each that is new. Wherever it looks an item up, it asks
six questions to learn that a key is text. It reads each condition twice: for the names in it, and to judge.

And it answers every request as if a web page had sent it: DynamoDB's too, by a table of routes, which has
one, and as a form, which JSON is not.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any

from flask import request
from moto.core import responses, utils
from moto.core.parse import BaseJSONParser
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb import responses as dynamodb_responses
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.parsing.tokens import ExpressionTokenizer
from moto.dynamodb.responses import DynamoHandler
from moto.moto_server.werkzeug_app import BackendRequest, DomainDispatcherApplication, create_backend_app
from moto.sqs import models as sqs_models

from local import moto_patches
from local.loopback import WsgiApp

LARGEST_ITEM = 405_000  # bytes, as moto has measured it
VALUE = "AttributeValue"  # DynamoDB's shape of a value, which has one member: its type
COMPARED_AS_THEY_ARE = frozenset({"S", "B", "BOOL"})  # types of values: text is not worked out, a number is

_backend_for_host = DomainDispatcherApplication.get_backend_for_host
_method_names = utils.method_names_from_class
_in_pythons_spelling = utils.camelcase_to_underscores
_unix_time = utils.unix_time
_make_list = ExpressionTokenizer.make_list
_hash, _equal = DynamoType.__hash__, DynamoType.__eq__
_lex_condition: Callable[..., deque[Any]] = ConditionExpressionParser._lex_condition_expression
_parse_condition = ConditionExpressionParser.parse
_update_parser: Any = dynamodb_responses.UpdateExpressionParser  # type: ignore[attr-defined]
_parse_structure: Callable[..., Any] = BaseJSONParser._parse_structure
_serialize_structure = BaseJSONSerializer._serialize_type_structure


@cache
def backend_for_host(application: DomainDispatcherApplication, host: str | None) -> object:
    """``DomainDispatcherApplication.get_backend_for_host``."""
    return _backend_for_host(application, host)


method_names_from_class = cache(_method_names)
camelcase_to_underscores = cache(_in_pythons_spelling)


@lru_cache(maxsize=1000)
def _words(expression: str) -> tuple[Any, ...]:
    return tuple(_make_list(expression))


def make_list(expression: str) -> list[Any]:
    """``ExpressionTokenizer.make_list``."""
    return list(_words(expression))


@lru_cache(maxsize=1000)
def _nodes(expression: str) -> tuple[Any, ...]:
    return tuple(_lex_condition(ConditionExpressionParser(expression, None, None)))


def lex_condition(parser: ConditionExpressionParser) -> deque[Any]:
    """``ConditionExpressionParser._lex_condition_expression``."""
    return deque(_nodes(parser.condition_expression or ""))


_latest = threading.local()  # this thread's last condition: what was read, and what moto made of it


def parse_condition(parser: ConditionExpressionParser) -> Any:
    """``ConditionExpressionParser.parse``, once for the two times that a request's condition is read."""
    asked = (
        parser.condition_expression,
        parser.expression_attribute_names,
        parser.expression_attribute_values,
    )
    before, condition, names, values = getattr(_latest, "read", ((), None, [], []))
    if len(before) == len(asked) and all(one is other for one, other in zip(before, asked, strict=True)):
        parser.expr_attr_names_found += names
        parser.expr_attr_values_found += values
        return condition
    condition = _parse_condition(parser)
    _latest.read = (asked, condition, parser.expr_attr_names_found[:], parser.expr_attr_values_found[:])
    return condition


class CachedUpdateExpressionParser:
    """``UpdateExpressionParser`` for those who only look at what it makes."""

    make = staticmethod(lru_cache(maxsize=1000)(_update_parser.make))


def hash_value(value: DynamoType) -> int:
    """``DynamoType.__hash__``."""
    return hash((value.type, value.value)) if value.type in COMPARED_AS_THEY_ARE else _hash(value)


def equal_values(one: DynamoType, other: DynamoType) -> bool:
    """``DynamoType.__eq__``."""
    if one.type not in COMPARED_AS_THEY_ARE:
        return _equal(one, other)
    return one.type == other.type and bool(one.value == other.value)


def unix_time(moment: Any = None) -> float:
    """``moto.core.utils.unix_time``, of now where no other moment is given."""
    return time.time() if moment is None else _unix_time(moment)


def parse_structure(parser: Any, shape: Any, value: Any) -> Any:
    """``BaseJSONParser._parse_structure``."""
    if shape.name != VALUE or not _is_typed(value, shape):
        return _parse_structure(parser, shape, value)
    return {name: parser._parse_shape(shape.members[name], one) for name, one in value.items()}


def serialize_structure(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """``BaseJSONSerializer._serialize_type_structure``."""
    if shape.name != VALUE or not _is_typed(value, shape):
        _serialize_structure(serializer, serialized, value, shape, key)
        return
    wrapper: dict[str, Any] = {}
    for name, one in value.items():
        serializer._serialize(wrapper, one, shape.members[name], name)
    serializer._default_serialize(serialized, wrapper, shape, key)


def _is_typed(value: Any, shape: Any) -> bool:
    """Whether a value names its type as AWS spells it."""
    return isinstance(value, dict) and all(
        name in shape.members and one is not None for name, one in value.items()
    )


def generate_receipt_handle() -> str:
    """``moto.sqs.utils.generate_receipt_handle``."""
    return secrets.token_hex(93)


def gen_amzn_requestid_long(headerdict: dict[str, Any] | None = None) -> str:
    """``moto.utilities.aws_headers.gen_amzn_requestid_long``."""
    request_id = secrets.token_hex(26).upper()
    if headerdict is not None:
        headerdict["x-amzn-requestid"] = request_id
    return request_id


def make_item(item: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    """``Item.__init__``, which adds up all sizes again with each attribute."""
    item.hash_key, item.range_key = hash_key, range_key
    item.attrs = LimitedSizeDict()
    dict.update(item.attrs, {name: DynamoType(value) for name, value in attrs.items()})
    if item.size() > LARGEST_ITEM:
        raise ItemSizeTooLarge


def backend_app(service: Any) -> WsgiApp:
    """``create_backend_app``, whose answers have CORS headers where a web page has asked."""
    if service == "dynamodb":
        return dynamodb
    app = create_backend_app(service)
    for functions in app.after_request_funcs.values():
        functions[:] = [_for_pages(one) for one in functions]
    return app


def dynamodb(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What moto's application for DynamoDB does, which has one route and is asked by no page."""
    asked, handler = BackendRequest(environ), DynamoHandler()
    handler.setup_class(asked, asked.raw_url, {}, use_raw_body=True)  # or it reads JSON as a form's fields
    status, headers, body = handler.call_action()
    content = body.encode() if isinstance(body, str) else body
    told = [(name, str(value)) for name, value in {**headers, "Content-Length": len(content)}.items()]
    start_response(f"{status} {HTTPStatus(int(status)).phrase}", told)
    return [content]


def _for_pages(add_headers: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda response: add_headers(response) if "Origin" in request.headers else response


def mend() -> None:
    """Let moto do less."""
    moto_patches.replace(DomainDispatcherApplication, get_backend_for_host=backend_for_host)
    moto_patches.replace(
        responses,
        method_names_from_class=method_names_from_class,
        camelcase_to_underscores=camelcase_to_underscores,
        gen_amzn_requestid_long=gen_amzn_requestid_long,
    )
    moto_patches.replace(utils, unix_time=unix_time)
    moto_patches.replace(ExpressionTokenizer, make_list=staticmethod(make_list))
    moto_patches.replace(
        ConditionExpressionParser, _lex_condition_expression=lex_condition, parse=parse_condition
    )
    moto_patches.replace(dynamodb_responses, UpdateExpressionParser=CachedUpdateExpressionParser)
    moto_patches.replace(DynamoType, __hash__=hash_value, __eq__=equal_values)
    moto_patches.replace(Item, __init__=make_item)
    moto_patches.replace(
        sqs_models,
        camelcase_to_underscores=camelcase_to_underscores,
        generate_receipt_handle=generate_receipt_handle,
    )
    moto_patches.replace(BaseJSONParser, _parse_structure=parse_structure)
    moto_patches.replace(BaseJSONSerializer, _serialize_type_structure=serialize_structure)
