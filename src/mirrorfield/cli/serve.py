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
    crowds: Annotated[int, typer.Option(min=0, max=10_000, help="Crowds at once.")] = 16,
    large_crowds: Annotated[int, typer.Option(min=0, max=100, help="Crowds above 20,000 people at once.")] = 1,
    rate: Annotated[float, typer.Option(min=1, help="Messages a second of one visitor.")] = 60.0,
    posts: Annotated[int, typer.Option(min=1, max=10_000_000, help="Posts of one visit.")] = 1_000_000,
    idle: Annotated[float, typer.Option(min=1, help="Seconds without a message after which a visit ends.")] = 600.0,
) -> None:
    """Open the page: react to posts and watch the recommender learn you, with the compiled kernel behind it."""
    try:
        import uvicorn

        from mirrorfield.server.app import create_app
        from mirrorfield.server.limits import Limits
    except ImportError as error:
        raise InputError(f'serve: needs {error.name}; install it with: pip install "mirrorfield[web]"') from None
    place = f"[{host}]" if ":" in host else host
    stdout().print(f"mirrorfield: http://{place}:{port}/ (Ctrl-C to stop)")
    if host not in LOOPBACK:
        stdout().print("mirrorfield: anyone who can reach this machine can open it; there is no password")
    limits = Limits(
        visitors=visitors,
        crowds=crowds,
        large_crowds=large_crowds,
        messages_per_second=rate,
        posts=posts,
        idle_seconds=idle,
    )
    uvicorn.run(create_app(limits), host=host, port=port, log_level="warning", ws_max_size=16_384, server_header=False)
