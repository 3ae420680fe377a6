"""Spark itself: starting it, watching it, and its errors in one sentence."""

import logging
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagdb.errors import FactorsError

PATIENCE = 120.0
"""How long to wait for a first executor, or another one, in seconds."""
LOOK_EVERY = 1.0
"""Seconds between two looks at what Spark does."""
STACK = "-Xss64m"
"""Stack of Java's threads: Spark serializes all rounds of ALS nested in each other, too many for 1 MB."""
DEFAULTS = {
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.maxResultSize": "0",
    "spark.executor.extraJavaOptions": STACK,
}
"""What is set unless Spark's own configuration says otherwise."""


@dataclass
class Cluster:
    """An application on a Spark cluster. All that Spark raises in its blocks becomes a FactorsError."""

    context: Any
    """The SparkContext."""
    session: Any
    """The SparkSession."""

    def close(self) -> None:
        """Leave the cluster: nothing of this application runs there any more."""
        with suppress(Exception):  # such as that it has ended
            self.session.stop()

    @contextmanager
    def watched(self, report: Callable[[int], None]) -> Iterator[None]:
        """Report the number of tasks done, and give up where there is no executor for too long."""
        done = threading.Event()
        given_up = threading.Event()

        def watch() -> None:
            tasks: dict[int, int] = {}
            tracker, waited = self.context.statusTracker(), 0.0
            local = self.context.master.startswith("local") and "cluster" not in self.context.master
            while not done.wait(LOOK_EVERY):
                for stage in tracker.getActiveStageIds():
                    if (info := tracker.getStageInfo(stage)) is not None:
                        tasks[stage] = info.numCompletedTasks
                report(sum(tasks.values()))
                there = local or self.context._jsc.sc().getExecutorMemoryStatus().size() > 1
                waited = 0.0 if there else waited + LOOK_EVERY
                if waited >= PATIENCE:
                    given_up.set()
                    self.context.cancelAllJobs()  # again while there is one: it may only be beginning

        def quietly() -> None:
            with suppress(Exception):  # the application has ended
                watch()

        watcher = threading.Thread(target=quietly, daemon=True)
        watcher.start()
        try:
            with translated():
                yield
        except FactorsError as error:
            if given_up.is_set():
                raise FactorsError(
                    f"{self.context.master} has had no executor for {PATIENCE:.0f} s; see whether workers "
                    "are registered there, with as much memory free as spark.executor.memory asks for"
                ) from error
            raise
        finally:
            done.set()
            watcher.join()


@contextmanager
def started(master: str) -> Iterator[Cluster]:
    """Begin an application on the cluster with a master's URL, as in Spark's documentation.

    Spark's configuration is that of ``spark-defaults.conf``. Executors run the Python that ``PYSPARK_PYTHON``
    names, or else the one of the same path as here.

    Raises
    ------
    FactorsError
        pyspark or Java is missing, or the master cannot be reached.
    """
    try:
        import pyspark
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise FactorsError(
            "Spark is reached by pyspark; install it with: pip install 'tagdb[spark]'"
        ) from error
    _require_master(master)
    before = signal.getsignal(signal.SIGINT)
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")  # which is not used
    with tempfile.TemporaryDirectory() as folder, _unlogged(), translated(log := Path(folder, "log")):
        try:
            with _deep_stack(), log.open("wb") as stream:  # or else Spark would write to our standard error
                gateway = pyspark.SparkContext._gateway or launch_gateway(
                    None, {"stderr": stream, "stdout": stream}
                )
            conf = pyspark.SparkConf(_jvm=gateway.jvm).setMaster(master).setAppName("tagdb factors compute")
            for name, value in DEFAULTS.items():
                conf.setIfMissing(name, value)
            context = pyspark.SparkContext(conf=conf, gateway=gateway)
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, before)  # Spark's handler would not let a second Ctrl-C end this
        context.pythonExec = os.environ.get("PYSPARK_PYTHON") or conf.get(
            "spark.pyspark.python", sys.executable
        )
        cluster = Cluster(context, SparkSession(context))
        try:
            yield cluster
        finally:
            cluster.close()


@contextmanager
def _deep_stack() -> Iterator[None]:
    """Let a driver that is started in the block have deep stacks."""
    name = "SPARK_SUBMIT_OPTS"
    before = os.environ.get(name)
    os.environ[name] = f"{STACK} {before or ''}"
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep py4j from logging what is raised anyway, such as KeyboardInterrupt."""
    logger = logging.getLogger("py4j")
    before, logger.propagate = logger.propagate, False

    def others(record: logging.LogRecord) -> bool:
        return "py4j" not in record.pathname

    logging.root.addFilter(others)
    try:
        yield
    finally:
        logging.root.removeFilter(others)
        logger.propagate = before


def _require_master(master: str) -> None:
    """Raise FactorsError if nobody answers at a standalone master's address: Spark would try for a minute."""
    places = re.findall(r"([^,/\[\]]+)\]?:(\d+)", master) if master.startswith("spark://") else []
    for host, port in places:
        with suppress(OSError):
            socket.create_connection((host, int(port)), timeout=10).close()
            return
    if places:
        raise FactorsError(
            f"no Spark master answers at {master}; see whether it runs, and under that address"
        )


@contextmanager
def translated(log: Path | None = None) -> Iterator[None]:
    """Turn what Spark raises into one sentence; where it did not even start, of the first in its log."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        if "JAVA_GATEWAY_EXITED" in (getattr(error, "getCondition", str)() or ""):
            lines = log.read_text(errors="replace").split("\n") if log is not None and log.exists() else []
            spoken = (line.strip() for line in lines if line.strip() and not line.startswith("WARNING"))
            said = next(spoken, "it said nothing")
            raise FactorsError(
                f"Spark did not start: {said}; it needs Java 17 or newer, see JAVA_HOME"
            ) from error
        raise FactorsError(sentence(str(error))) from error


def sentence(message: str) -> str:
    """Return one sentence for what Spark says of a failure, which may be pages."""
    own = re.search(r"^tagdb\.errors\.\w+: (.+)$", message, re.MULTILINE)
    if own:
        return own[1]
    if re.search("No module named 'tagdb[.']", message):
        return (
            "the executors' Python has no tagdb; install it on the workers, or name another Python by "
            "PYSPARK_PYTHON (docs/scale.md says more)"
        )
    traceback = message.partition("Traceback (most recent call last):")[2]
    lines = [line.strip() for line in (traceback or message).splitlines() if line.strip()]
    if traceback:  # the first line that is no place in a program is the error
        lines = [line for line in traceback.splitlines() if line[:1].strip()]
    elif message.startswith("An error occurred while calling") and len(lines) > 1:
        lines = lines[1:]  # py4j's own words
    said = re.sub(r"^: ", "", lines[0] if lines else "no reason given")
    return f"Spark failed: {said[:500]}"
