"""Containers as real processes: started, pinged, restarted and stopped as SageMaker does with Docker ones."""

import sys
import threading
from pathlib import Path

from localcloud.physics.container_log import ContainerLog
from localcloud.physics.image_program import image_environment, local_command
from localcloud.physics.images import Image, ImageRegistry
from localcloud.physics.model_folder import extract_model, remove_model
from localcloud.physics.ports import LogSink
from localcloud.physics.process import ProcessContainer, Program
from localcloud.physics.settings import PhysicsSettings


class ProcessContainers:
    """Starts images of a registry as processes on free ports of loopback.

    Parameters
    ----------
    images
        Where images are looked up.
    work_dir
        Folder for extracted models and logs.
    python
        Interpreter that takes the place of a leading ``python`` of an ENTRYPOINT.
    logs
        CloudWatch Logs.
    settings
        Grace and restart times.
    """

    def __init__(
        self,
        images: ImageRegistry,
        work_dir: Path,
        python: str = sys.executable,
        *,
        logs: LogSink | None = None,
        settings: PhysicsSettings | None = None,
    ) -> None:
        self._images = images
        self._work_dir = work_dir
        self._python = python
        self._logs = logs
        self._settings = settings or PhysicsSettings()
        self._lock = threading.Lock()
        self._containers: list[ProcessContainer] = []

    def start(
        self, image_uri: str, model_data: bytes | None, environment: dict[str, str], name: str
    ) -> ProcessContainer:
        """Start a container; see `localcloud.physics.ports.ContainerRunner`."""
        image = self._images.get(image_uri)
        model_dir = self._work_dir / "models" / name
        remove_model(model_dir)
        extract_model(model_data, model_dir)
        container = ProcessContainer(
            name, self._program(image, environment, model_dir), self._log(name), self._settings, self._forget
        )
        with self._lock:
            self._containers.append(container)
        container.start()
        return container

    def running(self) -> list[ProcessContainer]:
        """Return the containers that have not ended."""
        with self._lock:
            return list(self._containers)

    def stop_all(self) -> None:
        """Stop every container, and wait until the last is gone."""
        containers = self.running()
        for container in containers:
            container.stop()
        for container in containers:
            container.join()

    def _program(self, image: Image, environment: dict[str, str], model_dir: Path) -> Program:
        here = {**image_environment(image, environment), "SM_MODEL_DIR": str(model_dir)}
        return Program(local_command(image.dockerfile.program("serve"), self._python), image.folder, here)

    def _log(self, name: str) -> ContainerLog:
        endpoint, _, stream = name.partition("/")
        path = self._work_dir / "logs" / f"{name}.log"
        return ContainerLog(path, f"/aws/sagemaker/Endpoints/{endpoint}", stream, self._logs)

    def _forget(self, container: ProcessContainer) -> None:
        remove_model(self._work_dir / "models" / container.name)
        with self._lock:
            self._containers.remove(container)
