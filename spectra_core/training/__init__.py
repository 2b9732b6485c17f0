"""The one training engine: fused networks, minibatches, seeds, progress, cancel and resume.

`mlps.train_mlps` trains the regressors of one training set together, `vaes.train_vae` one variational
autoencoder, `parallel.run_in_threads` several such jobs side by side. `loop.train` is the loop of them all.
"""
