"""How a command in a container reaches what listens on this machine."""

from __future__ import annotations

import ipaddress
import socket

from projrun.environments.protocol import EndpointReach
from projrun_backends.environments.containers.arguments import Arguments
from projrun_backends.environments.containers.engine import Engine, Network

LOOPBACK = EndpointReach("127.0.0.1")


def network_name(arguments: Arguments) -> str:
    """The network that the container will be in first; the daemon's `bridge` unless the user chose."""
    chosen = next(iter(arguments.values("network")), "bridge")
    if "=" in chosen:  # `name=NET,ip=…`
        fields = dict(field.partition("=")[::2] for field in chosen.split(","))
        chosen = fields.get("name", chosen)
    return "bridge" if chosen == "default" else chosen


def endpoint_reach(engine: Engine, network: str) -> EndpointReach | None:
    """Where the endpoint has to listen beside the loopback; None where the container cannot reach this machine.

    Raises MissingError for a network that does not exist.
    """
    if network == "none" or network.startswith("container:"):
        return None
    if engine.in_virtual_machine:
        return None if engine.remote else EndpointReach("host.docker.internal")
    if engine.remote or engine.rootless:
        return None
    if network == "host":
        return LOOPBACK
    addresses = _addresses(engine.network(network))
    return next((EndpointReach(address, (address,)) for address in addresses if _is_ours(address)), None)


def _addresses(network: Network) -> list[str]:
    """This machine's addresses in a bridge network; other drivers' gateways are other machines."""
    if network.driver != "bridge":
        return []
    firsts = [str(ipaddress.ip_network(subnet).network_address + 1) for subnet in network.subnets]
    return [address for address in dict.fromkeys((*network.gateways, *firsts)) if ":" not in address]


def _is_ours(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
