# The app for a class, with PyTorch for the processor: docker compose up, or docs/serving.md.
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 spectra && install -d -o spectra /data
WORKDIR /srv/latent-spectra
COPY requirements.txt pyproject.toml ./
# For a site with a mirror: docker compose build --build-arg TORCH_INDEX=https://mirror.example.org/whl/cpu
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --no-cache-dir "torch<=2.13.0" --index-url "$TORCH_INDEX" \
    && pip install --no-cache-dir -r requirements.txt "streamlit[auth]>=1.67,<2"
COPY . .

USER spectra
ENV SPECTRA_HOME=/data SPECTRA_CLASS=1 OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://localhost:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "spectra_core", "app", "--class", "--address", "0.0.0.0", "--headless"]
