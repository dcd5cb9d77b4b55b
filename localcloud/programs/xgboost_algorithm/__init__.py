"""AWS's XGBoost image: the built-in algorithm, and script mode when the job or the model brings a script.

`python -m localcloud.programs.xgboost_algorithm train|serve`; it needs xgboost (extra `xgboost`). Channels,
hyperparameters, log lines, files and answers are as the developer guide ("XGBoost algorithm") and AWS's
sagemaker-xgboost-container (Apache-2.0) have them; the trees are those of the xgboost that is installed.

hyperparameters.py   which there are, and what they become for xgboost
data.py              CSV and libsvm, of channels and of requests
model_file.py        `xgboost-model`, pickled before version 1.3 and in xgboost's own form from then on
training.py          one training job
inference.py         the endpoint and the transform job
"""
