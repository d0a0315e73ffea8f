"""The model's files: found or unpacked, digested, and held against what was approved."""

import base64
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from model_containers.serving.serving.artefact import ArtefactError, Trust, command, prepare, take, unpack

FILES = {"model.onnx": b"graph", "signature.json": b"{}", "engines/sm_86/a.engine": b"engine" * 400_000, "empty": b""}


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def member(name, content=b"", **fields):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry, content


def pack(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for entry, content in members:
            tar.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "model", FILES)


@pytest.fixture
def mounted(tmp_path):
    """A read-only model folder with an archive of the same files."""
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    pack(mounted / "model.tar.gz", [member(f"./{name}", content) for name, content in FILES.items()])
    mounted.chmod(0o555)
    yield mounted
    mounted.chmod(0o755)


def test_a_folder_with_the_files_is_used_as_it_is(folder, tmp_path):
    assert prepare(folder, tmp_path / "scratch") == folder
    assert not (tmp_path / "scratch").exists()


def test_an_archive_is_unpacked_beside_the_model_folder(mounted, tmp_path):
    found = prepare(mounted, tmp_path / "scratch")

    assert found.parent == tmp_path / "scratch"
    assert {name: (found / name).read_bytes() for name in FILES} == FILES
    assert os.listdir(mounted) == ["model.tar.gz"]
    assert prepare(mounted, tmp_path / "scratch") != found


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, "neither model.onnx nor a .*it has nothing"),
        ({"notes.txt": b""}, "it has notes.txt"),
        ({"a.tar.gz": b"", "b.tar.gz": b""}, "a.tar.gz, b.tar.gz; leave exactly one"),
        ({"model.onnx": b""}, "no signature.json"),
        ({"a.tar.gz": b"no archive"}, "cannot be unpacked"),
        ({"a.tar.gz": gzip.compress(b"no archive")}, "cannot be unpacked"),
    ],
)
def test_what_is_not_a_model_is_named(tmp_path, files, complaint):
    (tmp_path / "model").mkdir()
    with pytest.raises(ArtefactError, match=complaint):
        prepare(write(tmp_path / "model", files), tmp_path / "scratch")


def test_a_missing_model_folder_is_named(tmp_path):
    with pytest.raises(ArtefactError, match="nowhere cannot be read: No such file"):
        prepare(tmp_path / "nowhere", tmp_path)


def test_an_archive_of_a_folder_says_how_to_pack(tmp_path):
    pack(tmp_path / "a.tar.gz", [member("model/model.onnx", b"x"), member("model/signature.json", b"{}")])

    with pytest.raises(ArtefactError, match=r"no model.onnx at its top; it has model; .*tar czf model.tar.gz -C"):
        prepare(tmp_path, tmp_path / "scratch")


@pytest.mark.parametrize(
    "evil",
    [
        member("../outside", b"x"),
        member("engines/../../outside", b"x"),
        member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("link", type=tarfile.SYMTYPE, linkname="model.onnx"),
        member("link", type=tarfile.LNKTYPE, linkname="../../secret"),
        member("device", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        member("pipe", type=tarfile.FIFOTYPE),
    ],
)
def test_archive_never_reaches_outside_and_leaves_nothing_behind(tmp_path, evil):
    scratch = tmp_path / "deep" / "scratch"
    (tmp_path / "model").mkdir()
    pack(tmp_path / "model" / "a.tar.gz", [member("model.onnx", b"x"), member("signature.json", b"{}"), evil])

    with pytest.raises(ArtefactError):
        prepare(tmp_path / "model", scratch)

    assert list(scratch.iterdir()) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["deep", "model"]


def test_absolute_names_are_unpacked_within(tmp_path):
    (tmp_path / "model").mkdir()
    name = f"{tmp_path}/escaped"
    pack(tmp_path / "model" / "a.tar.gz", [member("model.onnx"), member("signature.json"), member(name, b"x")])

    found = prepare(tmp_path / "model", tmp_path / "scratch")

    assert not (tmp_path / "escaped").exists()
    assert (found / name.lstrip("/")).read_bytes() == b"x"


def test_a_truncated_archive_leaves_nothing_behind(mounted, tmp_path):
    whole = (mounted / "model.tar.gz").read_bytes()
    write(tmp_path / "cut", {"model.tar.gz": whole[: len(whole) // 2]})

    with pytest.raises(ArtefactError, match="cannot be unpacked"):
        prepare(tmp_path / "cut", tmp_path / "scratch")

    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_archive_that_is_too_large_is_refused_before_it_is_written(tmp_path):
    bomb = pack(tmp_path / "a.tar.gz", [member("model.onnx", bytes(3_000_000))])
    assert bomb.stat().st_size < 10_000

    with pytest.raises(ArtefactError, match="more than the 2000000 bytes"):
        unpack.unpack(bomb, tmp_path / "scratch", max_bytes=2_000_000)


def test_an_archive_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_FILES", 3)
    crowd = pack(tmp_path / "a.tar.gz", [member(f"file {index}") for index in range(4)])

    with pytest.raises(ArtefactError, match="more than 3 files"):
        unpack.unpack(crowd, tmp_path / "scratch")


def test_digest_is_what_its_definition_says(folder):
    lines = [f"{hashlib.sha256(FILES[name]).hexdigest()} {len(FILES[name])} {name}\n" for name in sorted(FILES)]

    assert take(folder).digest == f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def test_digest_can_be_had_with_ordinary_tools(folder):
    script = (
        "find . -type f ! -path ./model.sig -printf '%P\\n' | LC_ALL=C sort | while read -r path; do "
        'printf "%s %s %s\\n" "$(sha256sum < "$path" | cut -d" " -f1)" "$(stat -c %s "$path")" "$path"; '
        "done | sha256sum | cut -d' ' -f1"
    )
    output = subprocess.run(["sh", "-c", script], cwd=folder, check=True, capture_output=True, text=True).stdout

    assert take(folder).digest == f"sha256:{output.strip()}"


def test_a_folder_and_its_archive_have_the_same_digest(folder, mounted, tmp_path):
    assert take(prepare(mounted, tmp_path / "scratch")).digest == take(folder).digest


def grow(folder):
    (folder / "empty").write_bytes(b"x")


def rename(folder):
    (folder / "empty").rename(folder / "void")


def add(folder):
    (folder / "more").write_bytes(b"")


def flip(folder):
    content = bytearray(FILES["engines/sm_86/a.engine"])
    content[-1] ^= 1
    (folder / "engines/sm_86/a.engine").write_bytes(content)


def move(folder):
    (folder / "empty").rename(folder / "engines" / "empty")


@pytest.mark.parametrize("change", [grow, rename, add, flip, move])
def test_any_change_changes_the_digest(folder, change):
    before = take(folder).digest
    change(folder)

    assert take(folder).digest != before


def test_times_and_the_detached_signature_do_not_change_the_digest(folder):
    before = take(folder).digest
    os.utime(folder / "model.onnx", (1, 1))
    (folder / "model.sig").write_bytes(b"x")
    os.mkfifo(folder / "pipe")

    assert take(folder).digest == before


def test_linked_files_count_by_content_and_linked_folders_are_refused(folder, tmp_path):
    (tmp_path / "elsewhere").write_bytes(FILES["model.onnx"])
    before = take(folder).digest
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to(tmp_path / "elsewhere")
    assert take(folder).digest == before

    (folder / "weights").symlink_to(tmp_path)
    with pytest.raises(ArtefactError, match="weights is a link to a folder"):
        take(folder)


def test_names_that_could_forge_a_line_are_refused(folder):
    (folder / "a\nb").write_bytes(b"")

    with pytest.raises(ArtefactError, match="line break"):
        take(folder)


def check(folder, **trust):
    Trust(**trust).check(folder, take(folder))


def test_the_expected_digest_is_enough(folder):
    digest = take(folder).digest
    check(folder)
    check(folder, digest=digest)
    check(folder, digest=digest.removeprefix("sha256:").upper())


def test_another_digest_fails_naming_both_and_the_way_out(folder):
    other = "sha256:" + "0" * 64

    with pytest.raises(ArtefactError) as caught:
        check(folder, digest=other)

    assert take(folder).digest in str(caught.value)
    assert other in str(caught.value)
    assert "set TIDEGATE_MODEL_DIGEST" in str(caught.value)


@pytest.mark.parametrize("digest", ["", "sha256:12", "md5:" + "0" * 64, "latest"])
def test_what_is_no_digest_is_refused(digest):
    with pytest.raises(ArtefactError, match="TIDEGATE_MODEL_DIGEST is"):
        Trust(digest=digest)


def manifest(folder, **changes):
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()} | changes
    (folder / "digests.json").write_text(json.dumps({name: each for name, each in listed.items() if each}))


def test_manifest_that_fits_is_accepted(folder):
    manifest(folder)
    (folder / "model.sig").write_bytes(b"x")
    check(folder)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"model.onnx": "0" * 64}, "model.onnx has SHA-256"),
        ({"gone": "0" * 64}, "gone is missing"),
        ({"empty": None}, "empty is not listed"),
    ],
)
def test_manifest_that_does_not_fit_fails(folder, changes, complaint):
    manifest(folder, **changes)

    with pytest.raises(ArtefactError, match=complaint):
        check(folder)


@pytest.mark.parametrize("text", ["[]", "{", '"x"'])
def test_manifest_that_is_none_fails(folder, text):
    (folder / "digests.json").write_text(text)

    with pytest.raises(ArtefactError, match=r"digests.json"):
        check(folder)


def pem(private):
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def ecdsa(private, message):
    return private.sign(message, ec.ECDSA(SHA256()))


def eddsa(private, message):
    return private.sign(message)


P256, EDWARDS = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()


@pytest.mark.parametrize(("private", "sign"), [(P256, ecdsa), (EDWARDS, eddsa)])
@pytest.mark.parametrize("form", [bytes, base64.b64encode, base64.encodebytes])
def test_signature_of_the_digest_is_accepted(folder, private, sign, form):
    (folder / "model.sig").write_bytes(form(sign(private, take(folder).digest.encode())))

    check(folder, public_key=pem(private))


def test_key_may_be_a_file_or_have_escaped_line_breaks(folder, tmp_path):
    (folder / "model.sig").write_bytes(ecdsa(P256, take(folder).digest.encode()))
    (tmp_path / "key.pem").write_text(pem(P256))

    check(folder, public_key=str(tmp_path / "key.pem"))
    check(folder, public_key=pem(P256).replace("\n", "\\n"))


@pytest.mark.parametrize(("private", "sign"), [(P256, ecdsa), (EDWARDS, eddsa)])
def test_signature_of_something_else_fails(folder, private, sign):
    digest = take(folder).digest
    (folder / "model.sig").write_bytes(sign(private, digest.encode() + b"\n"))
    with pytest.raises(ArtefactError, match=f"not a signature of the model's digest {digest}"):
        check(folder, public_key=pem(private))

    (folder / "model.sig").write_bytes(b"nonsense")
    with pytest.raises(ArtefactError, match="not a signature"):
        check(folder, public_key=pem(private))


def test_signature_by_another_key_fails(folder):
    other = ec.generate_private_key(ec.SECP256R1())
    (folder / "model.sig").write_bytes(ecdsa(other, take(folder).digest.encode()))

    with pytest.raises(ArtefactError, match="not a signature"):
        check(folder, public_key=pem(P256))


def test_changed_files_fail_with_their_old_signature(folder):
    (folder / "model.sig").write_bytes(ecdsa(P256, take(folder).digest.encode()))
    flip(folder)

    with pytest.raises(ArtefactError, match="not a signature"):
        check(folder, public_key=pem(P256))


def test_a_missing_signature_fails_where_one_is_asked_for(folder):
    with pytest.raises(ArtefactError, match="asks for a signature"):
        check(folder, public_key=pem(P256))


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        (pem(ec.generate_private_key(ec.SECP384R1())), "needed is ECDSA on P-256 or Ed25519"),
        (pem(rsa.generate_private_key(65537, 2048)), "needed is ECDSA on P-256 or Ed25519"),
        ("/no/such/key.pem", "neither a PEM public key nor the path of one"),
        ("-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n", "neither a PEM public key"),
    ],
)
def test_keys_that_cannot_be_used_are_refused(folder, key, complaint):
    (folder / "model.sig").write_bytes(b"x")

    with pytest.raises(ArtefactError, match=complaint):
        check(folder, public_key=key)


def test_command_prints_the_digest_of_a_folder_and_of_an_archive(folder, mounted, capsys):
    assert command.main(["--model-dir", str(folder)]) == 0
    assert command.main(["--model-dir", str(mounted)]) == 0

    assert capsys.readouterr().out.splitlines() == [take(folder).digest] * 2


def test_command_says_what_is_wrong(tmp_path, capsys):
    assert command.main(["--model-dir", str(tmp_path)]) == 1
    assert "neither model.onnx nor" in capsys.readouterr().err
