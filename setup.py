"""Packaging, in the file that users of AWS's SageMaker template look for. Tool settings are in pyproject.toml.

`localcloud/` is a distribution of its own that no package index has, and is installed beside this one (see Makefile).
"""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = next(
    line.split('"')[1]
    for line in (HERE / "scones" / "__init__.py").read_text(encoding="utf-8").splitlines()
    if line.startswith("__version__")
)
ROOMS = [
    *("project", "monitoring", "steps", "pipelines"),
    *("lambdas", "stepfunctions", "infra", "scones"),
]

BASE = [
    "boto3>=1.43.90",
    "click>=8.2",
    "jinja2>=3.1",
    "numpy>=2.0",
    "packaging>=24",
    "pandas>=2.2",
    "pillow>=11",
    "plotly>=7.1",
    "pydantic>=2.10",
    "pyyaml>=6",
    "requests>=2.32",
    "rich>=13.9",
    "sagemaker==3.27.*",
    "scipy>=1.11",
]
LOCAL = [
    "aws-lambda-powertools>=3.30",
    "awscli>=1.46",
    "great-expectations>=1.10",
    "onnx>=1.17",
    "onnxruntime>=1.20",
    "torch==2.13.0",
]
HEIC = [
    "pillow-heif>=1.8.1",
]
DASHBOARD = [
    "streamlit>=1.67",
]
DEV = [
    *HEIC,
    "axe-playwright-python>=0.1.8",
    "cfn-lint>=1.40",
    "cfripper>=1.22",
    "httpx>=0.27",
    "hypothesis>=6.100",
    "jsonschema>=4.23",
    "mypy>=1.15",
    "pandas-stubs",
    "playwright>=1.50",
    "pytest>=8.3",
    "pytest-randomly>=3.16",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "ruff>=0.9",
    "scikit-learn>=1.5",
    "types-psutil",
    "types-pyyaml",
    "types-requests",
    "xgboost-cpu>=3,<4; sys_platform == 'linux'",
]

setup(
    name="scones-unlimited",
    version=VERSION,
    description="Classify delivery vehicles with Amazon SageMaker, on AWS or one machine, from the same definitions.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    classifiers=[f"Programming Language :: Python :: {version}" for version in ("3.11", "3.12", "3.13")],
    packages=find_packages(include=[p for room in ROOMS for p in (room, f"{room}.*")]),
    package_data={
        "infra": ["*.yaml", "layer-requirements.txt"],
        "lambdas": ["deploy/*.png"],
        "scones": ["reports/templates/*"],
        "stepfunctions": ["*.asl.json"],
        "steps": ["*-requirements.txt"],
    },
    include_package_data=True,
    install_requires=BASE,
    extras_require={"local": LOCAL, "heic": HEIC, "dashboard": DASHBOARD, "dev": DEV},
    entry_points={
        "console_scripts": [
            "scones=scones.cli.main:main",
            "run-pipeline=pipelines.template_scripts:run_pipeline",
            "get-pipeline-definition=pipelines.template_scripts:get_pipeline_definition",
        ],
        "localcloud.images": ["sagemaker-model-monitor-analyzer=scones.local_images:ANALYZER"],
    },
)
