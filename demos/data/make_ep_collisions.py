"""Make ep_collisions.csv.gz: simulated collisions of electrons and protons, particle by particle.

    python -m pip install -e ".[pythia]"
    python demos/data/make_ep_collisions.py

An electron of 10 GeV meets a proton of 100 GeV and knocks a quark out of it, which becomes a jet of hadrons: deep
inelastic scattering, at energies of the future Electron-Ion Collider. PYTHIA 8 does the physics; every final particle,
and every hadron that decays on the way, becomes a row. (But not K⁰ and anti-K⁰: PYTHIA calls it a decay when they turn
into a K_S or a K_L of the same four-vector, and every particle is to be there once.) Columns and units are in the
README.md beside this script. The same seed gives the same file, byte by byte.
"""

import gzip
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinygrad_nuc.utils.command import Parser
from tinygrad_nuc.utils.files import atomic_write

SETTINGS = """
    Beams:frameType = 2                         ! beams of different energies, head on, along z
    Beams:idA = 2212
    Beams:eA = 100                              ! the proton flies towards +z
    Beams:idB = 11
    Beams:eB = 10                               ! the electron flies towards -z
    WeakBosonExchange:ff2ff(t:gmZ) = on         ! they exchange a photon or a Z boson
    PhaseSpace:Q2Min = 10                       ! which carries at least Q² = 10 GeV²
    SpaceShower:dipoleRecoil = on               ! from here to QEDshowerByL: what Pythia's authors advise for
    SpaceShower:pTmaxMatch = 2                  ! deep inelastic scattering
    PDF:lepton = off
    TimeShower:QEDshowerByL = off
    Print:quiet = on
    Random:setSeed = on
"""
K0 = 311                                        # listed once more, as K_S (310) or K_L (130)
HEADER = "event,pdgid,status,q,E,px,py,pz,m"


def particles(events: int, seed: int) -> Iterator[tuple[int, Any]]:
    """Number of the event, and particle: what is in the end, and the hadrons that decayed before."""
    import pythia8mc
    pythia = pythia8mc.Pythia("", False)
    for line in [*SETTINGS.strip().splitlines(), f"Random:seed = {seed}"]:
        if not pythia.readString(line.split("!")[0]):
            raise ValueError(f"Pythia does not know the setting {line.strip()}")
    if not pythia.init():
        raise ValueError("Pythia cannot start with these settings")
    event = 0
    while event < events:
        if not pythia.next():                           # it gave up on this one, which is rare
            continue
        for particle in pythia.event:
            decayed = particle.isHadron() and particle.statusAbs() > 20 and abs(particle.id()) != K0
            if particle.isFinal() or decayed:           # a status from 11 to 19 is a beam's
                yield event, particle
        event += 1


def row(event: int, particle: Any) -> str:
    """One line of the file; with 12 decimals, and the README says why."""
    energies = (particle.e(), particle.px(), particle.py(), particle.pz(), particle.m())
    # adding 0.0 makes 0.0 of -0.0
    written = [f"{round(energy, 12) + 0.0:.12f}".rstrip("0").rstrip(".") for energy in energies]
    return ",".join(map(str, [event, particle.id(), int(particle.isFinal()), round(particle.charge()), *written]))


if __name__ == "__main__":
    here = Path(__file__).with_name("ep_collisions.csv.gz")
    parser = Parser(description=__doc__)
    parser.add_argument("--output", type=Path, default=here, metavar="FILE", help="where it goes (beside this script)")
    parser.add_argument("--events", type=int, default=1000, help="number of collisions (1,000)")
    parser.add_argument("--seed", type=int, default=1, help="of Pythia's random numbers (1)")
    args = parser.parse_args()
    if args.events < 1:
        parser.error(f"--events must be at least 1, not {args.events}")
    if not 1 <= args.seed <= 900_000_000:
        parser.error(f"--seed must be a whole number from 1 to 900000000, which is Pythia's range, not {args.seed}")
    try:
        text = "".join(f"{line}\n" for line in [HEADER, *(row(*found) for found in particles(args.events, args.seed))])
        with atomic_write(args.output) as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
            packed.write(text.encode())                 # without name and time: the same text gives the same file
    except ImportError:
        parser.error('this needs Pythia, which is not installed: python -m pip install -e ".[pythia]"')
    except (OSError, ValueError) as error:
        if args.debug:
            raise
        parser.error(str(error))
    except KeyboardInterrupt:
        sys.exit("interrupted: nothing was saved")
    print(f"{args.output}: {args.events:,} events, {text.count(chr(10)) - 1:,} particles, "
          f"{args.output.stat().st_size:,} bytes")
    print(f"SHA-256 {hashlib.sha256(args.output.read_bytes()).hexdigest()} packed, "
          f"{hashlib.sha256(text.encode()).hexdigest()} unpacked")
