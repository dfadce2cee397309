namespace Systolic.Validation;

/// <summary>Knows one family of measured Trainium kernels: which rows belong to it, and the program of each.</summary>
internal interface ITrainiumFamily
{
    /// <summary>The first part of its groups' names.</summary>
    string Name { get; }

    /// <summary>The row is of this family.</summary>
    bool Takes(TrainiumRow row);

    /// <summary>Predicts the figure of a row that it takes.</summary>
    TrainiumPrediction Predict(TrainiumRow row);
}
