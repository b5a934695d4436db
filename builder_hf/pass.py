"""PASS for `datasets` below version 4, which still reads loading scripts.

    load_dataset("pass.py", "3.0.0", trust_remote_code=True)

It hands on to the package: `pip install "pass-dataset[hf]"`. With the package, every version of
`datasets` reads PASS by name as well: `import pass_dataset`, then `load_dataset("pass")`. Without
it, the Parquet files need no code of ours.
"""

# The library looks for imports at the start of lines, and would name the module where one has to
# be told of the package.
try:
    from pass_dataset.huggingface.builder import Pass
except ModuleNotFoundError as error:
    if error.name != "pass_dataset":
        raise
    raise ImportError(
        "PASS is read by the package pass-dataset, which is not installed here. "
        "Install it with: pip install 'pass-dataset[hf]'"
    ) from error

__all__ = ["Pass"]
