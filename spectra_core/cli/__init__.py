"""The app's pipeline without the app: ``latent-spectra study --data FILE --out FOLDER``, and so on."""
