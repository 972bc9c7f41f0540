"""What deploys the reference endpoint for ``RECOGNISER=sagemaker``. Never packaged into a Lambda function."""
