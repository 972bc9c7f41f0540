"""What was put into the bucket is there again after a restart, as files that are the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.machine import Machine

pytestmark = pytest.mark.slow  # moto starts anew for each


class TestObjects:
    @pytest.mark.parametrize(
        "key",
        [
            "uploads/a b+c/é%2F.jpg",
            "uploads/../../outside.jpg",
            "/absolute",
            "uploads//double",
            "uploads/folder/",
            "uploads/tab\tstop",
            "uploads/decomposed-e\u0301.jpg",
            f"uploads/{'long' * 60}.jpg",
            "~/tilde",
            "uploads/.hidden.jpg",
            "uploads/back\\slash",
        ],
    )
    def test_an_object_with_any_key_is_there_again(self, machine: Machine, key: str, tmp_path: Path) -> None:
        machine.put(key, b"photo", ContentType="image/jpeg", Metadata={"from": "anna"})
        before = machine.object(key)

        machine.restart(killed=True)

        after = machine.object(key)
        assert after["Body"].read() == b"photo"
        for name in ("ETag", "LastModified", "ContentType", "Metadata", "ContentLength"):
            assert after[name] == before[name]
        assert machine.keys() == [key]
        assert not list(tmp_path.parent.rglob("outside.jpg"))

    def test_a_photo_is_a_file_with_its_name(self, machine: Machine) -> None:
        machine.put("uploads/holiday/ü 1.jpg", b"bytes")

        assert (machine.folder / "objects" / "uploads" / "holiday" / "ü 1.jpg").read_bytes() == b"bytes"

    def test_keys_that_some_file_systems_take_for_one_have_files_of_their_own(self, machine: Machine) -> None:
        keys = ["uploads/A.jpg", "uploads/a.jpg", "uploads/x", "uploads/x/y", "uploads/x/Y", "uploads"]
        for key in keys:
            machine.put(key, key.encode())

        machine.restart(killed=True)

        assert {key: machine.object(key)["Body"].read() for key in keys} == {
            key: key.encode() for key in keys
        }
        names = [str(one).casefold() for one in (machine.folder / "objects").rglob("*") if one.is_file()]
        assert len(set(names)) == len(keys)

    def test_what_was_overwritten_copied_or_deleted_stays_so(self, machine: Machine) -> None:
        machine.put("uploads/a", b"one")
        machine.put("uploads/a", b"two")
        machine.s3.copy_object(Bucket=machine.name, Key="copy", CopySource=f"{machine.name}/uploads/a")
        machine.put("uploads/deep/b", b"three")
        machine.s3.delete_object(Bucket=machine.name, Key="uploads/deep/b")

        machine.restart(killed=True)

        assert machine.keys() == ["copy", "uploads/a"]
        assert machine.object("copy")["Body"].read() == b"two"
        assert not (machine.folder / "objects" / "uploads" / "deep").exists()

    def test_an_upload_in_parts_keeps_its_etag(self, machine: Machine) -> None:
        where = {"Bucket": machine.name, "Key": "uploads/big"}
        upload = {**where, "UploadId": machine.s3.create_multipart_upload(**where)["UploadId"]}
        parts = [
            {"PartNumber": n, "ETag": machine.s3.upload_part(**upload, PartNumber=n, Body=body)["ETag"]}
            for n, body in ((1, b"a" * 5_300_000), (2, b"b"))
        ]
        machine.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        etag = machine.object("uploads/big")["ETag"]
        assert etag.endswith('-2"')

        machine.restart(killed=True)

        there = machine.object("uploads/big")
        assert (there["ETag"], there["ContentLength"]) == (etag, 5_300_001)

    def test_the_files_are_the_truth(self, machine: Machine) -> None:
        for name in ("stays", "changes", "goes"):
            machine.put(f"uploads/{name}", b"one", ContentType="image/png")
        machine.stop()
        uploads = machine.folder / "objects" / "uploads"
        (uploads / "changes").write_bytes(b"two, longer")
        (uploads / "goes").unlink()
        (uploads / "new.jpg").write_bytes(b"new")
        (uploads / ".DS_Store").write_bytes(b"a desktop's")

        restored = machine.start()

        assert (
            sorted(restored.etags)
            == machine.keys()
            == ["uploads/changes", "uploads/new.jpg", "uploads/stays"]
        )
        changed, new = machine.object("uploads/changes"), machine.object("uploads/new.jpg")
        assert (changed["Body"].read(), changed["ContentType"]) == (b"two, longer", "image/png")
        assert (new["Body"].read(), new["ContentType"]) == (b"new", "image/jpeg")
        assert restored.etags["uploads/changes"] == changed["ETag"].strip('"')

    def test_without_what_is_known_of_them_photos_keep_their_keys_and_others_are_set_aside(
        self, machine: Machine
    ) -> None:
        machine.put("uploads/a.jpg", b"one")
        machine.put("uploads/..", b"two")
        machine.stop()
        (machine.folder / "objects.jsonl").write_bytes(b"00000000 nonsense\n")

        machine.start()

        assert machine.keys() == ["uploads/a.jpg"]
        assert sorted(Path(one).read_bytes() for one in machine.set_aside) == [b"00000000 nonsense\n", b"two"]
