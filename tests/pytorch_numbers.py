"""Writes what PyTorch answers to every case in pytorch_cases/: python tests/pytorch_numbers.py [FILE …]"""

import sys

import numpy as np
from pytorch_cases import NUMBERS, all_cases, run


def main():
    import torch            # here, since pytest imports this file where there is no PyTorch
    NUMBERS.mkdir(exist_ok=True)
    for file in sys.argv[1:] or sorted({name.split(".")[0] for name in all_cases()}):
        cases = {name.split(".")[1]: case for name, case in all_cases().items() if name.startswith(f"{file}.")}
        np.savez_compressed(NUMBERS / f"{file}.npz", **{f"{name}{path}": array for name, case in cases.items()
                                                        for path, array in run(case, torch).items()})
        print(f"{file}: {len(cases)} cases, with PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
