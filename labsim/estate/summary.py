"""What runs and where, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labsim.estate.names import COLLECTION

if TYPE_CHECKING:
    from labsim.estate.running import Estate


def summary(estate: Estate) -> str:
    """Return what runs in an estate and where, and what is weakened."""
    if not estate.alive:
        return "The lab is stopped. lab.reset() starts it again."
    lines = [f"The lab runs, in {estate.run_folder}."]
    lines += [f"  {estate.weakening}"] if estate.weakening else []
    lines.append(f"  authorization server  {estate.issuer}")
    lines += [f"  {name:20}  {url}{COLLECTION}" for name, url in estate.urls.items()]
    lines.append(f"  workloads and agents  {', '.join(estate.plan.clients)}")
    lines.append("  attacker              a process with a folder of its own")
    return "\n".join(lines)
