"""NVIDIA's compiler without a GPU: what CuPy would compile when a kernel is first called, for GPUs of several kinds."""

import io
import re

from cupy_wheel import cupy

GPUS = {"75": "T4, RTX 20", "80": "A100", "90": "H100"}        # sm_75 is the oldest that NVRTC 13 compiles for
MISSING = ""                                                   # why nothing can be compiled here

try:
    from cupy._core import core
    from cupy.cuda import compiler
    HEADERS = "".join(f"#include <{name}>\n" for name in core._cupy_header_list)
    OPTIONS = (*core.assemble_cupy_compiler_options(()), "-ftz=true", "--device-as-default-execution-space")
    compiler._NVRTCProgram, compiler.CompileException
    compiler._get_nvrtc_version()
except (ImportError, AttributeError, TypeError, RuntimeError) as error:     # private names: another CuPy may lack them
    MISSING = f"CuPy {cupy.__version__} and NVRTC cannot be asked to compile here: {error}"


def unit(sources):
    """Several kernels as one text: each in a namespace of its own, with its own line numbers under its own name."""
    return "\n".join(f'namespace kernel_{k} {{\n#line 1 "{name}"\n{source}\n}}'
                     for k, (name, source) in enumerate(sources.items()))


def compiled(source, gpu):
    """What the compiler and its assembler say of each kernel, by name; CompileException if the text has an error.

    Returns
    -------
    dict
        For each kernel its ``registers``, and the bytes of each thread that lie in the GPU's slow memory: ``stack``,
        because an array is indexed by a variable, and ``spilled``, because the registers do not suffice.
    """
    log = io.StringIO()
    program = compiler._NVRTCProgram(HEADERS + source, "kernels.cu", method="cubin")
    binary, _ = program.compile((*OPTIONS, f"-arch=sm_{gpu}", "--ptxas-options=-v"), log)
    assert binary.startswith(b"\x7fELF")
    found = re.findall(r"Compiling entry function '(\w+)' for 'sm_(\d+)'.*?(\d+) bytes stack frame, "
                       r"(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers",
                       log.getvalue(), re.DOTALL)
    assert all(target.startswith(gpu) for _, target, *_ in found)
    return {name: {"stack": int(stack), "spilled": int(stores) + int(loads), "registers": int(registers)}
            for name, _, stack, stores, loads, registers in found}
