"""The page as one file inside the docs, `demo/index.html`: a hook that mkdocs.yml names."""

from typing import Any

from mkdocs.structure.files import File, Files

from mirrorfield.server.standalone import page_file


def on_files(files: Files, config: Any) -> Files:
    """Add the file that `mirrorfield page --static` writes."""
    files.append(File.generated(config, "demo/index.html", content=page_file()))
    return files
