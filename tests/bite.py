"""``make bite``: switches each guard off in a copy of the project, and shows that a test goes red.

Rights are taken from roles in one emulator, where a journey must miss each of them.

A guard whose tests stay green without it is named, and the exit code is 1. With it they must be green.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.emulator import without

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 2
PATIENCE_SECONDS = 180
_BIG = ("models", "photos")  # linked, not copied
_LEFT = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "build", "deployed", *_BIG)


@dataclass(frozen=True)
class Guard:
    """``on`` stands once in ``path``; with ``off`` in its place one of ``tests`` must fail."""

    name: str
    path: str
    on: str
    off: str
    tests: str


GATE, TWO = "tests/api/test_gate.py", "tests/api/test_gate.py::TestTwoOwners"
GUARDS = (
    Guard(
        "a request needs a token",
        "chalicelib/api/gate.py",
        'if not caller and services.settings.auth != "none":',
        "if False:",
        GATE,
    ),
    Guard(
        "routes are behind the authorizer",
        "chalicelib/api/routes.py",
        "shut = None if route.scope == OPEN else door",
        "shut = None",
        GATE,
    ),
    Guard(
        "scopes",
        "chalicelib/api/gate.py",
        'elif not caller or needed not in caller["scopes"].split():',
        "elif False:",
        GATE,
    ),
    Guard(
        "the owner in every key",
        "chalicelib/api/requests.py",
        'return str(caller.get("owner", DEFAULT_OWNER))',
        "return DEFAULT_OWNER",
        TWO,
    ),
    Guard(
        "a body's size",
        "chalicelib/api/requests.py",
        "if len(raw) > body.max_bytes:",
        "if False:",
        "tests/api/test_requests.py",
    ),
    Guard(
        "a body's media type",
        "chalicelib/api/requests.py",
        'if raw and not {media, "*/*"} & {*body.types}:',
        "if False:",
        "tests/api/test_requests.py",
    ),
    Guard(
        "a token's secret",
        "chalicelib/access/tokens.py",
        "if not hmac.compare_digest(_hashed(secret), kept) or item is None:",
        "if item is None:",
        GATE,
    ),
    Guard(
        "a token's end",
        "chalicelib/access/tokens.py",
        "if token.expires_at <= self._now():",
        "if False:",
        "tests/access/test_tokens.py",
    ),
    Guard(
        "a token gives only what it has",
        "chalicelib/access/tokens.py",
        "        if lacking:",
        "        if False:",
        GATE,
    ),
    Guard(
        "children go with their token",
        "chalicelib/access/tokens.py",
        "                if one.made_by in {known.id for known in gone}:",
        "                if False:",
        GATE,
    ),
    Guard(
        "the rate of requests",
        "chalicelib/access/rate_limiter.py",
        "if total <= self._limit:",
        "if True:",
        "tests/access/test_rate_limiter.py",
    ),
    Guard(
        "the minute that slides",
        "chalicelib/access/rate_limiter.py",
        "for one in range(slot, _SLOTS)",
        "for one in range(0)",
        "tests/access/test_rate_limiter.py",
    ),
    Guard(
        "a request is counted before its token's scope is looked at",
        "chalicelib/api/gate.py",
        """    allowance = services.rate_limiter.take(owner_of(request))
    _check_scope(scope, caller, services.settings)
""",
        """    _check_scope(scope, caller, services.settings)
    allowance = services.rate_limiter.take(owner_of(request))
""",
        GATE,
    ),
    Guard(
        "so many of a kind and not one more",
        "chalicelib/quotas.py",
        'Put(last, mark, when={"revision": known})',
        "Put(last, mark)",
        "tests/ground/test_quotas.py",
    ),
    Guard(
        "a job that an unexpected error stops each time ends",
        "chalicelib/pipeline/job_worker.py",
        "if isinstance(error, Transient) or message.tries < MOST_TRIES:",
        "if True:",
        "tests/pipeline/test_job_worker.py",
    ),
    Guard(
        "the day's budget",
        "chalicelib/pipeline/cached_recognition.py",
        "expires_at=_expiry(services)) > limit:",
        "expires_at=_expiry(services)) > 10**9:",
        "tests/pipeline/test_budget.py",
    ),
    Guard(
        "one body for one idempotency key",
        "chalicelib/access/idempotency_keys.py",
        "if stored and stored.request != digest:",
        "if False:",
        "tests/access/test_idempotency_keys.py",
    ),
    Guard(
        "the condition on an idempotency key's write",
        "chalicelib/access/idempotency_keys.py",
        'claim.to_item(), when={"revision": left}',
        "claim.to_item()",
        "tests/journeys/test_repeats.py",
    ),
    Guard(
        "the condition on a record's write",
        "chalicelib/library/images.py",
        '_item(saved), {"revision": record.revision}), image',
        "_item(saved), {}), image",
        "tests/library/test_images.py",
    ),
    Guard(
        "an open circuit breaker",
        "chalicelib/pipeline/delivery_worker.py",
        "if not services.breakers.may_ask(delivery.owner, destination.place, condition.breaker):",
        "if False:",
        "tests/pipeline/test_delivery_worker.py",
    ),
    Guard(
        "breakers are those of origins",
        "chalicelib/delivery/breakers.py",
        'origin = Key(f"{owner}#origin#{place.origin}", "breaker")',
        'origin = Key(f"{owner}#origin#{place.address}", "breaker")',
        "tests/delivery/test_breakers.py",
    ),
    Guard(
        "a breaker expires",
        "chalicelib/delivery/breakers.py",
        'return item if item and int(item.get("expires_at", 0)) > self._now() else {}',
        "return item or {}",
        "tests/delivery/test_breakers.py",
    ),
    Guard(
        "what is done is deleted before its batch fails",
        "chalicelib/pipeline/batches.py",
        "if message not in failed and message.tries == 1:",
        "if False:",
        "tests/pipeline/test_batches.py",
    ),
    Guard(
        "no report where it may be ignored",
        "chalicelib/pipeline/batches.py",
        "if not errors or (reports and isinstance(errors[0], ComesAgain)):",
        "if not errors or isinstance(errors[0], ComesAgain):",
        "tests/pipeline/test_batches.py",
    ),
    Guard(
        "the sweep sends what it has put off",
        "chalicelib/due.py",
        'Update(key, set={**due, "sweep": new_id()}, when={"due_at": item["due_at"]})',
        'Update(key, set={**due, "sweep": new_id()})',
        "tests/pipeline/test_sweeper.py",
    ),
    Guard(
        "a row that cannot be read is put off",
        "chalicelib/pipeline/sweeper.py",
        "        services.due.put_off(key, item)\n        raise",
        "        raise",
        "tests/pipeline/test_sweeper.py",
    ),
    Guard(
        "nothing is sent again into a backlog",
        "chalicelib/pipeline/sweeper.py",
        "and not (backed_up and put_offs_of(item) < HELD_FOR):",
        "and True:",
        "tests/pipeline/test_sweeper.py",
    ),
    Guard(
        "no image stops a job",
        "chalicelib/pipeline/job_worker.py",
        "    except Exception as error:\n        if isinstance(error, Transient) and patient:",
        "    except SightlineError as error:\n        if isinstance(error, Transient) and patient:",
        "tests/pipeline/test_job_worker.py",
    ),
    Guard(
        "what people add to an image is bounded in bytes",
        "chalicelib/library/bounds.py",
        "if size > MAX_USER_DATA_BYTES and (before is None or size > user_data_bytes(before)):",
        "if False:",
        "tests/library/test_bounds.py",
    ),
    Guard(
        "exports go with an image that is erased",
        "chalicelib/pipeline/projection.py",
        "    if gone := {one.image_id for one in chunk if one.present is None}:",
        "    if gone := set():",
        "tests/export/test_withdrawal.py",
    ),
    Guard(
        "an image that is erased while it is packed",
        "chalicelib/export/archives.py",
        "    _withdraw_erased(job, state, services)\n",
        "",
        "tests/export/test_withdrawal.py",
    ),
    Guard(
        "a rotation that another one meets",
        "chalicelib/delivery/keyring.py",
        'self._table.write(Put(key_of(owner, signer), {**item}, when={"revision": expected}))',
        "self._table.write(Put(key_of(owner, signer), {**item}))",
        "tests/delivery/test_keyring.py",
    ),
    Guard(
        "rotations whose answers were lost",
        "chalicelib/delivery/keyring.py",
        "replaced = [(self.current, now + OVERLAP_SECONDS), *standing][:MOST_REPLACED]",
        "replaced = [(self.current, now + OVERLAP_SECONDS)]",
        "tests/api/test_subscription_handlers.py",
    ),
    Guard(
        "the owner in the keys of exported files",
        "chalicelib/export/listings.py",
        'file = f"exports/~{owner}/{export_id}.{form}"',
        'file = f"exports/{export_id}.{form}"',
        "tests/export/test_withdrawal.py",
    ),
    Guard(
        "the owner in the keys of archives",
        "chalicelib/export/archives.py",
        'return f"exports/~{job.owner}/{job.id}"',
        'return f"exports/~all/{job.id}"',
        "tests/export/test_withdrawal.py",
    ),
    Guard(
        "certificates name their hosts",
        "chalicelib/outbound/http.py",
        "context.hostname_checks_common_name = False",
        "context.hostname_checks_common_name = True",
        "tests/outbound/test_tls.py",
    ),
    Guard(
        "no formulas in spreadsheets",
        "chalicelib/export/tabular.py",
        """return _FORMULA.sub(r"\\1'\\2", value)""",
        """return f"'{value}" if value.startswith(("=", "+", "-", "@")) else value""",
        "tests/export/test_tabular.py",
    ),
    Guard(
        "no original stops an archive",
        "chalicelib/export/archives.py",
        "            except Exception as error:\n                if isinstance(error, Transient)",
        "            except SightlineError as error:\n                if isinstance(error, Transient)",
        "tests/api/test_archives.py",
    ),
    Guard(
        "a page of deliveries is bounded in bytes",
        "chalicelib/delivery/delivery_log.py",
        "if room < 0 and found:",
        "if False:",
        "tests/api/test_delivery_handlers.py",
    ),
    Guard(
        "a message of the topic is bounded in bytes",
        "chalicelib/delivery/events.py",
        "while _bytes(shorter) > TOPIC_BYTES:",
        "while False:",
        "tests/delivery/test_events.py",
    ),
    Guard(
        "the seconds of a long poll",
        "chalicelib/api/long_poll.py",
        "(left := deadline - clock()) > 0 and may_wait():",
        "(left := deadline - clock()) > 0:",
        "tests/api/test_image_handlers.py",
    ),
    Guard(
        "a signing secret of another root key",
        "chalicelib/delivery/keyring.py",
        "if not hmac.compare_digest(mark, self._mark()):",
        "if False:",
        "tests/delivery/test_keyring.py",
    ),
    Guard(
        "no signing secret is kept with an idempotency key",
        "chalicelib/api/idempotency.py",
        "if name != renewal.hidden}",
        "}",
        "tests/api/test_secret_handlers.py",
    ),
    Guard(
        "a key that is refused counts for no try",
        "chalicelib/pipeline/delivery_worker.py",
        "signing = _signing_secrets(context, destination, services)  # an error here counts for no try\n"
        "    claimed = services.deliveries.claim(delivery)",
        "claimed = services.deliveries.claim(delivery)\n"
        "    signing = _signing_secrets(context, destination, services)",
        "tests/api/test_secret_handlers.py",
    ),
    Guard(
        "how many requests are in flight at one origin",
        "chalicelib/delivery/origins.py",
        "free = room.acquire(timeout=ROOM_SECONDS)",
        "free = room.acquire(timeout=0) or True",
        "tests/pipeline/test_confirming.py",
    ),
    Guard(
        "a label's name goes with its last image",
        "chalicelib/library/catalogue.py",
        "if not zeros or",
        "if zeros or",
        "tests/pipeline/test_projection.py",
    ),
    Guard(
        "parts go when the archive is whole",
        "chalicelib/export/archives.py",
        "_remove([part for part, _ in state.parts], services)",
        "pass",
        "tests/api/test_archives.py",
    ),
    Guard(
        "what strangers are sent",
        "chalicelib/pipeline/delivery_worker.py",
        "if not confirmed and condition.breaker.open_until() <= services.now():",
        "if False:",
        "tests/pipeline/test_confirming.py",
    ),
    Guard(
        "another origin has to agree by itself",
        "chalicelib/pipeline/delivery_worker.py",
        "return services.breakers.of(owner, place), confirmed",
        "return services.breakers.of(owner, place), context.confirmed",
        "tests/api/test_subscription_handlers.py",
    ),
    Guard(
        "only who sends the token back has agreed",
        "chalicelib/pipeline/subscription_changes.py",
        "return reply.headers.get(CHALLENGE) == token or token.encode() in reply.body",
        "return True",
        "tests/pipeline/test_confirming.py",
    ),
    Guard(
        "a long document is a link",
        "chalicelib/pipeline/routing.py",
        "if len(body) > events.WHOLE_BYTES and destination.name != INTEGRATION:",
        "if False:",
        "tests/pipeline/test_confirming.py",
    ),
    Guard(
        "a cursor's signature",
        "chalicelib/api/cursors.py",
        "if not hmac.compare_digest(signature, self._signature(place)):",
        "if False:",
        "tests/api/test_cursors.py",
    ),
    Guard(
        "the check of dialled addresses",
        "chalicelib/outbound/http.py",
        "return port in self._ports and is_public(address)",
        "return port in self._ports",
        "tests/outbound/test_hostile_urls.py",
    ),
    Guard(
        "no compressed bodies",
        "chalicelib/outbound/response.py",
        'if answer.getheader("Content-Encoding", "identity").strip().lower() not in ("", "identity"):',
        "if False:",
        "tests/outbound/test_http.py",
    ),
    Guard(
        "the cap on pixels",
        "chalicelib/intake/photos.py",
        "    if pixels > most:",
        "    if False:",
        "tests/intake/test_photos.py",
    ),
    Guard(
        "nine rows of ten",
        "chalicelib/intake/jpeg.py",
        "        if self._share(shown, at_least) < MOSTLY:",
        "        if False:",
        "tests/intake/test_jpeg.py",
    ),
    Guard(
        "layouts that are not read",
        "chalicelib/intake/tiff_layout.py",
        "        if not self._is_read():",
        "        if False:",
        "tests/intake/test_tiff.py",
    ),
    Guard(
        "a raw file's thumbnail is no photo",
        "chalicelib/intake/raw.py",
        "    if max(best.size) < min(least, _LARGE):",
        "    if False:",
        "tests/intake/test_raw.py",
    ),
    Guard(
        "what computers leave in folders",
        "chalicelib/pipeline/batches.py",
        " and not is_litter(uploaded.key)",
        "",
        "tests/pipeline/test_any_photo.py",
    ),
    Guard(
        "the size of a form's file",
        "chalicelib/intake/objects.py",
        '["content-length-range", low, high]',
        '["content-length-range", 1, 10**12]',
        "tests/local/test_moto_presigned.py",
    ),
    Guard(
        "the size of a PUT",
        "chalicelib/intake/objects.py",
        'params["ContentLength"] = size',
        'params["ContentType"] = "image/jpeg"',
        "tests/local/test_moto_presigned.py",
    ),
    Guard(
        "an upload that is too large is removed",
        "chalicelib/pipeline/labelling.py",
        "        services.objects.delete_original(image.key)\n",
        "        pass\n",
        "tests/pipeline/test_labelling.py",
    ),
    Guard(
        "only pictures inline",
        "chalicelib/intake/objects.py",
        'disposition = "inline" if content_type.startswith("image/") else "attachment"',
        'disposition = "inline"',
        "tests/local/test_moto_presigned.py",
    ),
    Guard(
        "the offline bucket's signatures",
        "local/moto_presigned.py",
        "if not hmac.compare_digest(expected.encode(), given.encode()):",
        "if False:",
        "tests/local/test_moto_presigned.py",
    ),
    Guard(
        "of a closed vocabulary only its terms come out",
        "chalicelib/recognition/answer_parser.py",
        "return terms.term(name)",
        "return terms.term(name) or name",
        "tests/recognition/test_answer_parser.py",
    ),
    Guard(
        "markup is no name of a thing",
        "chalicelib/recognition/answer_parser.py",
        " or _NAMELESS.search(said)",
        "",
        "tests/recognition/test_answer_parser.py",
    ),
    Guard(
        "an answer in vain has cost",
        "chalicelib/pipeline/cached_recognition.py",
        "            calls = error.calls\n",
        "",
        "tests/recognition/test_bedrock.py",
    ),
    Guard(
        "words that are asked for in a row are in a row",
        "chalicelib/library/conditions.py",
        "return any(wanted in line for line in facts.written)",
        "return all(word in str(facts.written) for word in self.words)",
        "tests/library/test_words.py",
    ),
    Guard(
        "a person's caption outranks every model's",
        "chalicelib/library/corrections.py",
        'if current is not None and current.source == "person":',
        "if False:",
        "tests/api/test_captions.py",
    ),
    Guard(
        "what has no term of the vocabulary is not shown",
        "chalicelib/library/renames.py",
        """        if term is None:
            return None""",
        """        if term is None:
            return label""",
        "tests/api/test_vocabulary_handlers.py",
    ),
    Guard(
        "a changed secret is noticed",
        "chalicelib/cache.py",
        "if self._held is None or self._now() - self._held[0] >= self._seconds:",
        "if self._held is None:",
        "tests/delivery/test_destinations.py",
    ),
    Guard(
        "whose pages see what the gateway refuses",
        "local/api_server.py",
        "if isinstance(cors, CORSConfig) else {}",
        "if cors is None else {}",
        "tests/local/test_servers.py",
    ),
    Guard(
        "dead letters are wired",
        "infra/resources.yaml",
        "        deadLetterTargetArn: {Fn::GetAtt: [UploadsDeadLetters, Arn]}",
        "        deadLetterTargetArn: {Fn::GetAtt: [DeliveriesQueue, Arn]}",
        "tests/local/test_provision.py",
    ),
    Guard(
        "a deleted image leaves the index",
        "chalicelib/library/index.py",
        'if document["status"] != "binned":',
        "if True:",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "the record says what is in the bin",
        "chalicelib/library/search.py",
        "if stored.binned is not self._binned:",
        "if False:",
        "tests/pipeline/test_bin.py",
    ),
    Guard(
        "what is in the bin is not known",
        "chalicelib/pipeline/arrival.py",
        " and not one.binned)",
        ")",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "nothing is changed in the bin",
        "chalicelib/pipeline/bin.py",
        "    if record.image.binned:\n        raise Conflict(",
        "    if False:\n        raise Conflict(",
        "tests/api/test_bin_handlers.py",
    ),
    Guard(
        "only what has changed nobody changes",
        "chalicelib/api/responses.py",
        'not {"*", tag()} & {',
        'not {"*", tag()} | {',
        "tests/api/test_bin_handlers.py",
    ),
    Guard(
        "what is about to be erased stays in the bin",
        "chalicelib/pipeline/bin.py",
        "        if _is_due(record.image, services):\n            raise",
        "        if False:\n            raise",
        "tests/pipeline/test_bin.py",
    ),
    Guard(
        "the sweep erases what is due alone",
        "chalicelib/pipeline/sweeper.py",
        'if (image.erases_at or "") <= rfc3339(services.now()):',
        "if True:",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "deletions are told to who asked",
        "chalicelib/pipeline/routing.py",
        "    if notification.on_request:\n",
        "    if False:\n",
        "tests/pipeline/test_bin.py",
    ),
    Guard(
        "what was put where a missing image was",
        "chalicelib/pipeline/bin.py",
        "if record.image.missing:  # whatever",
        "if False:  # whatever",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "within a second the event tells what was first",
        "chalicelib/pipeline/bin.py",
        "max(stored.modified, event_at or 0.0)",
        "stored.modified",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "the sweep stops before its minute is over",
        "chalicelib/pipeline/sweeper.py",
        "        if time_left() >= SECONDS_A_ROW:",
        "        if True:",
        "tests/pipeline/test_sweeper.py",
    ),
    Guard(
        "a flood of one kind keeps no other waiting",
        "chalicelib/pipeline/sweeper.py",
        "kinds = KINDS[first:] + KINDS[:first]",
        "kinds = KINDS",
        "tests/pipeline/test_sweeper.py",
    ),
    Guard(
        "a late event leaves the bin alone",
        "chalicelib/pipeline/bin.py",
        "if not image.missing and not (own and max(stored.modified, event_at or 0.0) > since):",
        "if False:",
        "tests/pipeline/test_bin.py",
    ),
    Guard(
        "an upload of ours brings nothing back",
        "chalicelib/pipeline/bin.py",
        "not (own and max(",
        "not (max(",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "a removal is looked at",
        "chalicelib/pipeline/relocation.py",
        "        if services.objects.etag(record.image.key) is None:",
        "        if True:",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "photos that are alike",
        "chalicelib/pipeline/relocation.py",
        "            and millisecond_at(copy.created_at) / 1000 >= gone_at - COPIED_SECONDS\n",
        "",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "a packet's list of our own keywords",
        "chalicelib/intake/keywords.py",
        "if name and name not in ours and (",
        "if name and (",
        "tests/intake/test_keywords.py",
    ),
    Guard(
        "keywords of others, which are never called ours",
        "client/sightline_labels/xmp_packet.py",
        " if _compared(one.text) not in others]",
        "]",
        "tests/command_line/test_xmp.py",
    ),
    Guard(
        "regions of others",
        "client/sightline_labels/xmp_packet.py",
        'self.noted.get("Regions") == str(len(regions.names)) if regions else True',
        "True",
        "tests/command_line/test_xmp.py",
    ),
    Guard(
        "alternative texts of others",
        "client/sightline_labels/xmp_packet.py",
        '_ALT: [self.noted.get("AltText")] == [one.text for one in self.items(_ALT)],',
        "",
        "tests/command_line/test_xmp.py",
    ),
    Guard(
        "keywords of others that would be lost",
        "client/sightline_labels/xmp_packet.py",
        "    if not others <= Packet(content).words:",
        "    if False:",
        "tests/command_line/test_xmp.py",
    ),
    Guard(
        "pictures behind a photo's own",
        "client/sightline_labels/jpeg_xmp.py",
        "                if pictures:",
        "                if False:",
        "tests/command_line/test_xmp.py",
    ),
    Guard(
        "sidecars of others",
        "client/sightline_labels/sidecars.py",
        "if there is None or not there.noted:",
        "if False:",
        "tests/command_line/test_xmp.py",
    ),
    Guard(
        "objects of others among which we write",
        "chalicelib/intake/objects.py",
        "(there and not own(_mark_of(there)))",
        "False",
        "tests/intake/test_objects.py",
    ),
    Guard(
        "what others put into the bucket at the same moment",
        "chalicelib/intake/objects.py",
        " **marked, **only)",
        " **marked)",
        "tests/intake/test_objects.py",
    ),
    Guard(
        "no document type in XMP",
        "chalicelib/intake/keywords.py",
        "forbid_dtd=True",
        "forbid_dtd=False",
        "tests/intake/test_keywords.py",
    ),
    Guard(
        "a keyword that a person took back",
        "chalicelib/pipeline/description.py",
        "record.image.etag == stored.etag and record.image.width is not None",
        "False",
        "tests/pipeline/test_xmp_keywords.py",
    ),
    Guard(
        "room for keywords",
        "chalicelib/pipeline/description.py",
        "with_room_for(dataclasses.replace(outcome, keywords=keywords), record)",
        "dataclasses.replace(outcome, keywords=keywords)",
        "tests/pipeline/test_xmp_keywords.py",
    ),
    Guard(
        "labelers that have not heard of sidecars",
        "chalicelib/pipeline/xmp_keywords.py",
        "if unknown and wait > 0:",
        "if False:",
        "tests/pipeline/test_xmp_keywords.py",
    ),
    Guard(
        "sidecars that are no images",
        "chalicelib/pipeline/labelling.py",
        "        if is_sidecar(uploaded.key):\n            return take_sidecar(uploaded, services)\n",
        "",
        "tests/pipeline/test_xmp_keywords.py",
    ),
    Guard(
        "a corrected copy",
        "chalicelib/pipeline/relocation.py",
        "            and all(one.by == BY_XMP for one in copy.corrections)"
        "  # the same bytes hold the same keywords\n",
        "",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "a key leads to what lies there",
        "chalicelib/library/images.py",
        "return record if record and record.image.key == key else None",
        "return record",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "what is made of a photo goes with it alone",
        "chalicelib/pipeline/projection.py",
        "        if other is None:\n",
        "        if True:\n",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "a sidecar that its copy has written late is written anew",
        "chalicelib/pipeline/projection.py",
        "services.images.touch(other.image.owner, other.image.id)",
        "pass",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "a copy that turns up late is found",
        "chalicelib/pipeline/bin.py",
        "LAST_LOOK_SECONDS = 2 * DAY_SECONDS",
        "LAST_LOOK_SECONDS = 0",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "what a change that was given up has written goes with the next",
        "chalicelib/pipeline/record_changes.py",
        "[*map(entries_of, documents), *([{PENDING: IndexEntry()}] if self.earlier else [])]",
        "[]",
        "tests/pipeline/test_projection.py",
    ),
    Guard(
        "what was erased is told once",
        "chalicelib/pipeline/record_changes.py",
        "if self.present is None and self.marker.gone:",
        "if False:",
        "tests/pipeline/test_projection.py",
    ),
    Guard(
        "the news that an image was erased is not forgotten",
        "chalicelib/pipeline/projection.py",
        "(stored.erased and stored.result != result)",
        "stored.erased",
        "tests/pipeline/test_projection.py",
    ),
    Guard(
        "a copy is seen before its original goes",
        "chalicelib/pipeline/labelling.py",
        "    if 0 < wait <= SETTLE_SECONDS:",
        "    if False:",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "what was too large is not missed",
        "chalicelib/pipeline/labelling.py",
        "if record is None or was_dropped(record.image):",
        "if record is None:",
        "tests/pipeline/test_relocation.py",
    ),
    Guard(
        "an archive names what is missing",
        "chalicelib/export/archives.py",
        "if last and absent:",
        "if False:",
        "tests/api/test_archives.py",
    ),
)

# Rights that a function's role is without for once, on the emulator (:mod:`tests.emulator.without`).
RIGHTS = frozenset(
    {
        "api_handler:secretsmanager:GetSecretValue",
        "api_handler:s3:DeleteObject",
        "check_token:dynamodb:GetItem",
        "on_s3_upload:s3:ListBucket",
        "on_s3_upload:rekognition:DetectText",
        "on_upload_message:sqs:DeleteMessage",
        "on_upload_message:sagemaker:InvokeEndpoint",
        "on_sns_message:sqs:SendMessage",
        "on_sqs_message:logs:PutLogEvents",
        "on_sqs_message:ssm:GetParameter",
        "sweep:dynamodb:UpdateItem",
    }
)


def main() -> int:
    """Try every guard; answers the exit code."""
    suites = sorted({guard.tests for guard in GUARDS})
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sound = dict(zip(suites, pool.map(outcome, suites), strict=True))
        bare = list(pool.map(lambda guard: outcome(guard.tests, guard), GUARDS))
    # 1: tests failed. Anything else, an import that breaks for instance, shows nothing.
    bitten = [sound[guard.tests] == 0 and code == 1 for guard, code in zip(GUARDS, bare, strict=True)]
    for guard, red in zip(GUARDS, bitten, strict=True):
        print(f"{'red  ' if red else 'GREEN'} without {guard.name}")
    print(f"{sum(bitten)} of {len(GUARDS)} guards are watched by a test that bites.")
    return max(0 if all(bitten) else 1, without.main(sorted(RIGHTS)))


def outcome(tests: str, off: Guard | None = None) -> int:
    """pytest's exit code for some tests in a copy of the project, where one guard may be switched off."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "project"
        shutil.copytree(ROOT, copy, ignore=_LEFT)
        for name in _BIG:
            (copy / name).symlink_to(ROOT / name)
        if off:
            switch_off(off, copy)
        ran = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", tests],
            cwd=copy,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    return ran.returncode


def switch_off(guard: Guard, root: Path) -> None:
    """:raises ValueError: the guard is not where it was."""
    path = root / guard.path
    text = path.read_text("utf-8")
    if text.count(guard.on) != 1:
        raise ValueError(f"{guard.name}: {guard.on!r} does not stand once in {guard.path}")
    path.write_text(text.replace(guard.on, guard.off), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
