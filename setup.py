"""What is installed: the core, and the app as one package of its own beside it; all else is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    script_name="setup.py",  # so that it is not taken for a module of the app
    packages=[*find_packages(include=["spectra_core*"]), "latent_spectra_app"],
    # The folder of app.py: installed as they lie, "pages" and "ui" would stand in everybody's way.
    package_dir={"latent_spectra_app": "."},
)
