"""From what SageMaker puts into the model folder to a folder with the model's files."""

from pathlib import Path

from .errors import ArtefactError
from .unpack import unpack

MODEL_FILE = "model.onnx"
SIGNATURE_FILE = "signature.json"
ARCHIVE_SUFFIX = ".tar.gz"
_NAMES_SHOWN = 10
_WAY_OUT = f"put {MODEL_FILE} and {SIGNATURE_FILE} there, or set SM_MODEL_DIR (a command: --model-dir) to their folder"


def prepare(model_dir: Path, scratch: Path) -> Path:
    """Return a folder with ``model.onnx`` and ``signature.json``.

    SageMaker unpacks a ``ModelDataUrl`` archive itself. An ``S3ModelDataSource`` with CompressionType None it hands
    over as it is, and if that holds one archive, it is for the container to unpack.

    Parameters
    ----------
    model_dir
        What SageMaker mounted; never written to.
    scratch
        A writable folder for what is unpacked.

    Raises
    ------
    ArtefactError
        If the folder holds neither the model's files nor exactly one ``*.tar.gz``, or the archive cannot be used.
    """
    names = _names(model_dir)
    archives = [name for name in names if name.endswith(ARCHIVE_SUFFIX)]
    if MODEL_FILE in names:
        return _complete(model_dir, names)
    if not archives:
        raise ArtefactError(
            f"{model_dir} has neither {MODEL_FILE} nor a *{ARCHIVE_SUFFIX}; it has {_shown(names)}; {_WAY_OUT}"
        )
    if len(archives) > 1:
        raise ArtefactError(f"{model_dir} has {_shown(archives)}; leave exactly one archive there")
    folder = unpack(model_dir / archives[0], scratch)
    unpacked = _names(folder)
    if MODEL_FILE not in unpacked:
        way_out = "pack the files themselves and not a folder around them: tar czf model.tar.gz -C <folder> ."
        raise ArtefactError(f"{archives[0]} has no {MODEL_FILE} at its top; it has {_shown(unpacked)}; {way_out}")
    return _complete(folder, unpacked)


def _complete(folder: Path, names: list[str]) -> Path:
    if SIGNATURE_FILE not in names:
        raise ArtefactError(
            f"{folder} has {MODEL_FILE} but no {SIGNATURE_FILE}; it has {_shown(names)}; write one beside it"
        )
    return folder


def _names(folder: Path) -> list[str]:
    try:
        return sorted(each.name for each in folder.iterdir())
    except OSError as error:
        raise ArtefactError(f"the model folder {folder} cannot be read: {error.strerror}; {_WAY_OUT}") from error


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return (", ".join(names[:_NAMES_SHOWN]) or "nothing") + more
