"""Settings of the whole pipeline: what `stance run FILE` reads, one section a stage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from pipeline.errors import near_matches
from pipeline.settings.attribution import AttributionSettings
from pipeline.settings.classifiers import ClassifierSettings, Positive
from pipeline.settings.ingest import IngestSettings
from pipeline.settings.tuning import TuneSettings, space_mistakes
from pipeline.settings.weak import Labels, WeakTargets
from pipeline.validated_yaml import StrictModel, load_model, written

ProperShare = Annotated[float, Field(gt=0.0, lt=1.0)]
Name = Annotated[
    str,
    written(
        r"[a-z0-9][a-z0-9_-]{0,39}", "at most 40 of a-z, 0-9, '_' and '-', not these two first"
    ),
]


class DataSettings(StrictModel):
    """Labelled data: what is learned from, and the gold labels of the seed statements.

    Calibration and test are documents of the corpus, whatever `labels` says.
    """

    corpus: Annotated[tuple[Path, ...], Field(min_length=1)]
    weak: tuple[Path, ...] = Field(default=(), description="files that 'stance label' wrote")
    labels: Labels = Labels.CORPUS
    weak_targets: WeakTargets = WeakTargets.LABELS
    gold: Path
    gold_statements: Path = Field(description="folder of the texts that the gold offsets refer to")

    @property
    def weak_read(self) -> tuple[Path, ...]:
        """The weakly labelled files that are learned from: none where `labels` is the corpus."""
        return () if self.labels is Labels.CORPUS else self.weak


class SplitSettings(StrictModel):
    """How documents are held out; always whole documents.

    `test` is reported, `calibration` chooses scale, bias and thresholds; both are shares of the
    documents. With `folds` of two or more, every model is cross-validated as well.
    """

    test: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    calibration: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    folds: Annotated[int, Field(ge=0, le=20)] = 0
    threshold_folds: Annotated[int, Field(ge=2, le=20)] = 5


class EvaluationSettings(StrictModel):
    """Labelled files to report on besides the held-out documents, and the bootstrap."""

    external: tuple[Path, ...] = ()
    replicates: Annotated[int, Field(ge=100, le=100_000)] = 1000


class BehaviourThresholds(StrictModel):
    """A share of flips below the first passes, and shares of right decisions from the others on."""

    invariance: Annotated[float, Field(gt=0, le=1)] = 0.01
    direction: Annotated[float, Field(gt=0, le=1)] = 0.9
    functionality: Annotated[float, Field(gt=0, le=1)] = 0.9


class BehaviourSettings(StrictModel):
    """Behaviour tests: names to swap, written cases, how many sentences to perturb, thresholds."""

    names: Path
    functionality: Path
    direction: Path
    sentences: Annotated[int, Field(ge=1)] = 500
    thresholds: BehaviourThresholds = BehaviourThresholds()

    @property
    def files(self) -> dict[str, Path]:
        """The files that the tests read, by their key in the settings."""
        return {
            "names": self.names,
            "functionality": self.functionality,
            "direction": self.direction,
        }


class TrackingSettings(StrictModel):
    """Where MLflow keeps the runs; without `uri`, $MLFLOW_TRACKING_URI or a local SQLite file.

    Promoted models are versions of `registered_model`: models:/stance@champion.
    """

    uri: str | None = None
    experiment: Annotated[str, Field(min_length=1, max_length=200)] = "stance"
    registered_model: Annotated[str, Field(pattern=r"^[\w-]{1,100}$")] = "stance"


NOT_STATED = "not stated"


class CardSettings(StrictModel):
    """What the model card and the report say about the data; nobody else can know it.

    `data_card` is the file that describes the labelled data: where they come from, who labelled
    them and how.
    """

    licence: Annotated[str, Field(min_length=1)] = NOT_STATED
    data_card: Path | None = None
    limits: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class BehaviourFloors(StrictModel):
    """What all decisions of a family of behaviour tests together must show.

    Not the thresholds of the single tests, which are aims: below these no model is promoted.
    """

    invariance: Annotated[float, Field(gt=0, le=1)] = 0.015
    direction: Annotated[float, Field(ge=0, le=1)] = 0.75
    functionality: Annotated[float, Field(ge=0, le=1)] = 0.9


class GateSettings(StrictModel):
    """What a model must show to become the champion.

    `margin` is the loss of macro-F1 that counts as none: in every task the 95 % interval of the
    difference to the champion must lie above -margin. Both are compared on `data`, by default the
    documents that both held out, else the gold labels. `largest_ece` bounds the calibration error
    of every task on the held-out documents, averaged over its labels.
    """

    margin: Annotated[float, Field(ge=0, lt=1)] = 0.02
    data: Path | None = None
    largest_ece: Annotated[float, Field(gt=0, le=1)] = 0.03
    behaviour: BehaviourFloors = BehaviourFloors()


class PromoteSettings(StrictModel):
    """Which trained model becomes the bundle, how exact its export must be, and what it must show.

    `model` names one of the trained models, or is "best": the highest macro-F1 on the held-out
    documents, averaged over the tasks.
    """

    model: str = "best"
    to: Path = Path("models/default")
    largest_share_flipped: Annotated[float, Field(ge=0, le=0.2)] = 0.03
    gate: GateSettings = GateSettings()


class ClassifySettings(StrictModel):
    """Where the predictions go."""

    out: Path


class ReportSettings(StrictModel):
    """Where the report goes, and what it is called."""

    out: Path
    title: Annotated[str, Field(min_length=1, max_length=200)] = "Stances in the statements"


class PipelineSettings(StrictModel):
    """All stages. Relative paths are relative to the folder `stance` is started in."""

    codebook: Path
    inputs: Annotated[tuple[str, ...], Field(min_length=1)]
    work: Path = Field(description="folder for what the stages hand to each other")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 13
    data: DataSettings
    ingest: IngestSettings = IngestSettings()
    split: SplitSettings = SplitSettings()
    prevalence: dict[str, dict[str, ProperShare]] = Field(
        default_factory=dict,
        description="by multilabel task and label: share of sentences expected where it is used",
    )
    temperature: dict[str, Positive] = Field(
        default_factory=dict,
        description="by multiclass task: what log-odds are divided by, where texts are further off",
    )
    models: Annotated[dict[Name, ClassifierSettings], Field(min_length=1)]
    attribution: AttributionSettings = AttributionSettings()
    tune: TuneSettings = TuneSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    behaviour: BehaviourSettings | None = None
    tracking: TrackingSettings = TrackingSettings()
    card: CardSettings = CardSettings()
    promote: PromoteSettings = PromoteSettings()
    classify: ClassifySettings
    report: ReportSettings

    def recorded(self) -> dict[str, object]:
        """Return the settings as JSON values, to be shown and kept.

        Without the store's address, which may hold a password; a run knows where it stands.
        """
        return self.model_dump(mode="json", exclude={"tracking": {"uri"}})

    @model_validator(mode="after")
    def _weak_labels_are_there(self) -> Self:
        if mistake := self.weak_mistake():
            raise ValueError(mistake)
        return self

    def weak_mistake(self) -> str:
        """Return what stands in the way of the labels to learn from; empty where nothing does."""
        labels = self.data.labels
        if labels is not Labels.CORPUS and not self.data.weak:
            return f"labels '{labels}', but data.weak names no file; make one with 'stance label'"
        if labels is not Labels.CORPUS and self.split.folds:
            return f"split.folds cross-validates on the corpus, not on labels '{labels}'"
        return ""

    @model_validator(mode="after")
    def _promotes_a_known_model(self) -> Self:
        if "best" in self.models:
            raise ValueError("a model cannot be called 'best': promote.model uses that word")
        if self.promote.model not in ("best", *self.models):
            near = near_matches(self.promote.model, ("best", *self.models))
            raise ValueError(f"promote.model is '{self.promote.model}', not a model here.{near}")
        return self

    @model_validator(mode="after")
    def _tunes_what_models_have(self) -> Self:
        found = [
            InitErrorDetails(
                type=PydanticCustomError("tune_space", "{reason}", {"reason": one.reason}),
                loc=("tune", "space", *one.keys),
                input=one.got,
            )
            for one in space_mistakes(self.tune.space, self.models)
        ]
        if found:
            raise ValidationError.from_exception_data("tune", found)
        return self


def load_settings(path: Path) -> PipelineSettings:
    """Read the settings of a pipeline.

    Raises:
        InputError: the file cannot be read.
        SettingsError: all mistakes at once, with lines and near matches.
    """
    return load_model(PipelineSettings, path)
