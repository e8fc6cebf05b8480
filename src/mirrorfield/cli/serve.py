"""`mirrorfield serve`: the page, on this machine."""

from typing import Annotated

import typer

from mirrorfield.cli.table import stdout
from mirrorfield.errors import InputError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port.")] = 8642,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another one opens the page to the network.")
    ] = LOOPBACK[0],
    visitors: Annotated[int, typer.Option(min=1, max=10_000, help="Visitors at once.")] = 50,
    idle: Annotated[float, typer.Option(min=1, help="Seconds without a message after which a visit ends.")] = 600.0,
) -> None:
    """Open the page: react to posts and watch the recommender learn you, with the compiled kernel behind it."""
    try:
        import uvicorn

        from mirrorfield.server.app import Limits, create_app
    except ImportError as error:
        raise InputError(f'serve: needs {error.name}; install it with: pip install "mirrorfield[web]"') from None
    place = f"[{host}]" if ":" in host else host
    stdout().print(f"mirrorfield: http://{place}:{port}/ (Ctrl-C to stop)")
    if host not in LOOPBACK:
        stdout().print("mirrorfield: anyone who can reach this machine can open it; there is no password")
    app = create_app(Limits(visitors=visitors, idle_seconds=idle))
    uvicorn.run(app, host=host, port=port, log_level="warning", ws_max_size=16_384, server_header=False)
