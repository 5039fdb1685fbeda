"""A compiler for functions that only compiled functions call: for ``@compiled_part``, and for calls of ``@compiled``.

numba makes machine code of each function, and with each caller once more of all functions below it. A part stays in
the form of instructions of LLVM, which are optimized and become machine code as parts of the functions that call it.
"""

from __future__ import annotations

from typing import Any

from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import NativeLowering


class PartCompiler(CompilerBase):
    """numba's compiler up to the instructions of LLVM."""

    def define_pipelines(self) -> list[Any]:
        """Return the passes."""
        state = self.state
        state.flags.no_compile = True
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)  # type: ignore[no-untyped-call]
        passes = DefaultPassBuilder.define_nopython_pipeline(state)  # type: ignore[no-untyped-call]
        passes.add_pass_after(_InsertPart, NativeLowering)
        passes.finalize()
        return [passes]


class _PartLibrary(JITCodeLibrary):
    """The instructions of a part and of those that it calls, to be linked into its callers."""

    def _optimize_final_module(self) -> None:
        """Leave it to the callers."""

    def _finalize_final_module(self) -> None:
        """Keep the module, and make no machine code."""
        self._finalize_dynamic_globals()  # type: ignore[no-untyped-call]
        self._finalized = True


@register_pass(mutates_CFG=False, analysis_only=True)  # type: ignore[no-untyped-call]
class _InsertPart(LoweringPass):
    """Make a part known to the functions that call it."""

    _name = "insert_part"

    def __init__(self) -> None:  # that of numba is abstract
        super().__init__()  # type: ignore[no-untyped-call]

    def run_pass(self, state: Any) -> bool:
        library, fndesc, env = state.library, state.cr.fndesc, state.cr.env
        # numba knows a compiled function by the object that Python calls; here that has no address to go to.
        function = _dynfunc.make_function(fndesc.lookup_module(), fndesc.qualname, "part", 0, env, (library,))
        state.targetctx.insert_user_function(function, fndesc, [library])
        state.cr = state.cr._replace(cfunc=function)
        return False
