"""A gRPC connection to a node with mutual TLS, as every client of it needs one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import grpc


def add_arguments(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """What the command line has to say for a connection."""
    parser.add_argument("--address", required=required, help="host:port of the service")
    for name, meaning in (
        ("ca", "certificate of the authority that signed the server's (PEM)"),
        ("certificate", "our certificate (PEM)"),
        ("key", "its key (PEM)"),
    ):
        parser.add_argument(f"--{name}", required=required, type=Path, metavar="FILE", help=meaning)
    parser.add_argument("--server-name", help="name in the server's certificate, where it is not the host")


def connect(args: argparse.Namespace) -> grpc.Channel:
    """Mutual TLS: the certificate says which organisation calls."""
    ca, key, certificate = (path.read_bytes() for path in (args.ca, args.key, args.certificate))
    options: list[tuple[str, Any]] = [("grpc.max_receive_message_length", -1)]
    if args.server_name:
        options.append(("grpc.ssl_target_name_override", args.server_name))
    return grpc.secure_channel(args.address, grpc.ssl_channel_credentials(ca, key, certificate), options)
