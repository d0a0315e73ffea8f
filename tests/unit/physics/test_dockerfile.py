import pytest

from localcloud.physics.dockerfile import DockerfileError, parse_dockerfile


def test_program_environment_and_work_dir_come_from_the_last_stage() -> None:
    read = parse_dockerfile(
        """
        # syntax=docker/dockerfile:1
        ARG VERSION=3.12
        FROM python:$VERSION AS build
        ENTRYPOINT ["never"]
        ENV LEFT=behind
        FROM --platform=linux/amd64 python:$VERSION
        ENV ONE=1 TWO="two words" \\
            THREE=${VERSION}
        ENV OLD the old form
        ENV PATH=/opt/venv/bin:$PATH LD_LIBRARY_PATH=/usr/local/cuda
        WORKDIR /opt
        WORKDIR program
        RUN pip install nothing
        ENTRYPOINT ["python", "-m", "serving"]
        CMD ["help"]
        """
    )
    assert read.work_dir == "/opt/program"
    assert read.environment == {"ONE": "1", "TWO": "two words", "THREE": "3.12", "OLD": "the old form"}
    assert read.program() == ["python", "-m", "serving", "help"]
    assert read.program("serve") == ["python", "-m", "serving", "serve"]


def test_a_stage_that_builds_on_another_inherits_from_it() -> None:
    read = parse_dockerfile('FROM python AS base\nENV A=1\nENTRYPOINT ["run"]\nFROM base\nENV B=$A$A\n')
    assert (read.environment, read.entrypoint) == ({"A": "1", "B": "11"}, ["run"])


@pytest.mark.parametrize("text", ["FROM python", "FROM python\nENTRYPOINT python serve.py", 'ENTRYPOINT "serve"'])
def test_without_an_exec_form_entrypoint_there_is_no_image(text: str) -> None:
    with pytest.raises(DockerfileError, match="ENTRYPOINT"):
        parse_dockerfile(text)
