"""What SageMaker and CloudWatch are asked for on a model's way into service; each repeat is harmless."""

import io
from datetime import UTC, datetime

import botocore.session
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.validate import validate_parameters

from signalbox.adapters.endpoints import Hosting, SageMakerEndpoints
from signalbox.contracts.packages import Smoke, promotion_of
from signalbox.domain.endpoints import Endpoint
from signalbox.errors import Misconfigured, Transient
from tests.promoted import SMOKE, arn

SESSION = botocore.session.get_session()
HOSTING = Hosting("arn:aws:iam::123456789012:role/EndpointRole", "ml.m5.large", "cpu")
CONFIG, NAME = promotion_of(arn(1)), "signalbox-hvac"


def refused(code, **more):
    return ClientError({"Error": {"Code": code, "Message": ""}, **more}, "Call")


class Service:
    """Judges requests by botocore's model, and answers as told."""

    def __init__(self, name):
        self.shapes = SESSION.get_service_model(name)
        self.asked, self.answers, self.refusals = [], {}, {}

    def __getattr__(self, method):
        operation = "".join(part.title() for part in method.split("_"))

        def call(**request):
            validate_parameters(request, self.shapes.operation_model(operation).input_shape)
            self.asked.append((operation, request))
            if operation in self.refusals:
                raise self.refusals[operation]
            return self.answers.get(operation, {})

        return call


@pytest.fixture
def aws():
    return [Service("sagemaker"), Service("sagemaker-runtime"), Service("cloudwatch")]


@pytest.fixture
def endpoints(aws):
    return SageMakerEndpoints(HOSTING, *aws)


def described(status="InService", **more):
    return {
        "EndpointStatus": status, "EndpointConfigName": CONFIG,
        "LastModifiedTime": datetime(2026, 7, 2, tzinfo=UTC), **more,
    }  # fmt: skip


def test_an_endpoint_is_described_or_not_there(aws, endpoints):
    aws[0].answers["DescribeEndpoint"] = described(FailureReason="no luck")
    found = endpoints.look(NAME)
    assert found == Endpoint("InService", CONFIG, "2026-07-02T00:00:00+00:00", "no luck")
    assert found.settled
    aws[0].refusals["DescribeEndpoint"] = refused("ValidationException")
    assert endpoints.look(NAME) is None
    aws[0].refusals["DescribeEndpoint"] = refused("AccessDeniedException")
    with pytest.raises(Misconfigured, match="sagemaker:DescribeEndpoint"):
        endpoints.look(NAME)


def test_model_and_configuration_are_of_the_package_and_named_by_it(aws, endpoints):
    endpoints.prepare(arn(1), CONFIG)
    (_, model), (_, config) = aws[0].asked
    assert model["PrimaryContainer"]["ModelPackageName"] == arn(1)
    assert model["ModelName"] == config["EndpointConfigName"] == CONFIG
    (variant,) = config["ProductionVariants"]
    assert (variant["ModelName"], variant["InstanceType"]) == (CONFIG, "ml.m5.large")


def test_what_is_there_is_left_and_what_is_refused_is_said(aws, endpoints):
    for operation in ("CreateModel", "CreateEndpointConfig", "CreateEndpoint"):
        aws[0].refusals[operation] = refused("ValidationException")
    endpoints.prepare(arn(1), CONFIG)
    endpoints.create(NAME, CONFIG)
    aws[0].refusals["DescribeModel"] = refused("ValidationException")
    with pytest.raises(Misconfigured, match="sagemaker:CreateModel"):
        endpoints.prepare(arn(1), CONFIG)


def test_an_update_is_watched_by_an_alarm_on_server_errors(aws, endpoints):
    endpoints.update(NAME, CONFIG, guarded=True)
    ((_, alarm),) = aws[2].asked
    ((_, update),) = aws[0].asked
    watching = update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    assert watching == [{"AlarmName": alarm["AlarmName"]}] == [{"AlarmName": f"{NAME}-errors"}]
    assert alarm["MetricName"] == "Invocation5XXErrors"
    assert alarm["Dimensions"][0] == {"Name": "EndpointName", "Value": NAME}


def test_the_way_back_is_not_watched(aws, endpoints):
    endpoints.update(NAME, CONFIG, guarded=False)
    ((_, update),) = aws[0].asked
    assert (aws[2].asked, "DeploymentConfig" in update) == ([], False)


@pytest.mark.parametrize(
    ("status", "problem"), [("Updating", Transient), ("InService", Misconfigured)]
)
def test_an_update_that_is_refused(aws, endpoints, status, problem):
    aws[0].refusals["UpdateEndpoint"] = refused("ValidationException")
    aws[0].answers["DescribeEndpoint"] = described(status)
    with pytest.raises(problem):
        endpoints.update(NAME, CONFIG, guarded=False)


def test_what_is_gone_or_going_need_not_be_deleted(aws, endpoints):
    aws[0].refusals["DeleteEndpoint"] = refused("ValidationException")
    aws[0].answers["DescribeEndpoint"] = described("Deleting")
    endpoints.delete(NAME)
    aws[0].answers["DescribeEndpoint"] = described("Updating")
    with pytest.raises(Misconfigured):
        endpoints.delete(NAME)
    aws[0].refusals["DescribeEndpoint"] = refused("ValidationException")
    endpoints.delete(NAME)


def test_a_sample_is_answered_or_the_models_own_words_are_told(aws, endpoints):
    sample = Smoke.model_validate(SMOKE)
    aws[1].answers["InvokeEndpoint"] = {"Body": io.BytesIO(b"3.0\n")}
    assert endpoints.invoke(NAME, sample) is None
    ((_, request),) = aws[1].asked
    assert (request["Body"], request["Accept"]) == (b"1,2\n", "text/csv")
    said = {"OriginalStatusCode": 500, "OriginalMessage": "no luck"}
    aws[1].refusals["InvokeEndpoint"] = refused("ModelError", **said)
    assert endpoints.invoke(NAME, sample) == "the sample request was answered with 500: no luck"
    aws[1].refusals["InvokeEndpoint"] = ReadTimeoutError(endpoint_url="https://x")
    assert endpoints.invoke(NAME, sample) == "the sample request was not answered within 25 s"
    for code in ("ThrottlingException", "ModelNotReadyException", "InternalDependencyException"):
        aws[1].refusals["InvokeEndpoint"] = refused(code)
        with pytest.raises(Transient, match="sagemaker:InvokeEndpoint"):
            endpoints.invoke(NAME, sample)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"-0.1,-2.5\n-0.2,-1.25\n", None),
        (b"-0.1,-2.5001\n-0.2,-1.25\n", None),
        (b"-0.1,-2.5\n-0.2,-1.5\n", "answered with -1.5, where the model said -1.25"),
        (b"-0.1,-2.5\n", "answered with 1 lines, not 2"),
        (b"-0.1,nan\n-0.2,-1.25\n", "answered with nan"),
        (b"oh\nno\n", "answered with oh"),
    ],
)
def test_a_model_must_say_again_what_it_said_when_it_was_judged(aws, endpoints, body, words):
    sample = Smoke.model_validate(SMOKE | {"answers": [-2.5, -1.25]})
    aws[1].answers["InvokeEndpoint"] = {"Body": io.BytesIO(body)}
    said = endpoints.invoke(NAME, sample)
    assert said is None if words is None else words in said
