using Rev.Domain.Common;

namespace Rev.Domain.Pricing;

/// <summary>How a leaf compares.</summary>
public enum Operator
{
    /// <summary>Same type, same value.</summary>
    Eq,
    /// <summary>Same type, another value.</summary>
    Ne,
    /// <summary>Numbers: above.</summary>
    Gt,
    /// <summary>Numbers: at or above.</summary>
    Gte,
    /// <summary>Numbers: below.</summary>
    Lt,
    /// <summary>Numbers: at or below.</summary>
    Lte,
    /// <summary>Equal to one of a list.</summary>
    In,
    /// <summary>Of the type of one of a list, and equal to none.</summary>
    NotIn,
    /// <summary>Present, null included.</summary>
    Exists,
    /// <summary>Not present.</summary>
    NotExists,
    /// <summary>A substring of a string, or an element of an array.</summary>
    Contains,
    /// <summary>The beginning of a string.</summary>
    StartsWith,
    /// <summary>The end of a string.</summary>
    EndsWith,
}

/// <summary>What was found at one leaf.</summary>
/// <param name="Field">The fact's name.</param>
/// <param name="Operator">How it was compared.</param>
/// <param name="Expected">What the rule names.</param>
/// <param name="Actual">What the call had.</param>
/// <param name="Passed">Whether it held.</param>
/// <param name="Note">Why a leaf that could not be judged was false; null otherwise.</param>
public sealed record LeafTrace(FactField Field, Operator Operator, FactValue Expected, FactValue Actual, bool Passed, string? Note);

/// <summary>A condition over facts. Total: it never throws and never guesses; what is missing or mistyped is false.</summary>
public abstract record Condition
{
    /// <summary>Deepest nesting.</summary>
    public const int MaxDepth = 8;

    /// <summary>Most leaves of one condition.</summary>
    public const int MaxLeaves = 64;

    private Condition() { }

    /// <summary>Whether it holds; every leaf that was looked at is added to the trace, if one is given.</summary>
    public abstract bool Holds(IFacts facts, List<LeafTrace>? trace = null);

    /// <summary>Whether it holds while the metadata may still change: null where only the metadata can tell.</summary>
    public abstract bool? HoldsWithoutMetadata(CallFacts facts);

    /// <summary>Levels, this one included.</summary>
    public abstract int Depth { get; }

    /// <summary>Leaves, all told.</summary>
    public abstract int Leaves { get; }

    /// <summary>All of the parts hold.</summary>
    public sealed record All(ValueList<Condition> Parts) : Condition
    {
        /// <inheritdoc/>
        public override bool Holds(IFacts facts, List<LeafTrace>? trace = null)
        {
            var holds = true;
            foreach (var part in Parts)
            {
                if (!holds && trace is null) return false;
                holds &= part.Holds(facts, trace);
            }
            return holds;
        }

        /// <inheritdoc/>
        public override bool? HoldsWithoutMetadata(CallFacts facts)
        {
            bool? holds = true;
            foreach (var part in Parts) holds &= part.HoldsWithoutMetadata(facts);
            return holds;
        }

        /// <inheritdoc/>
        public override int Depth => 1 + Parts.Max(p => p.Depth);

        /// <inheritdoc/>
        public override int Leaves => Parts.Sum(p => p.Leaves);
    }

    /// <summary>At least one of the parts holds.</summary>
    public sealed record Any(ValueList<Condition> Parts) : Condition
    {
        /// <inheritdoc/>
        public override bool Holds(IFacts facts, List<LeafTrace>? trace = null)
        {
            var holds = false;
            foreach (var part in Parts)
            {
                if (holds && trace is null) return true;
                holds |= part.Holds(facts, trace);
            }
            return holds;
        }

        /// <inheritdoc/>
        public override bool? HoldsWithoutMetadata(CallFacts facts)
        {
            bool? holds = false;
            foreach (var part in Parts) holds |= part.HoldsWithoutMetadata(facts);
            return holds;
        }

        /// <inheritdoc/>
        public override int Depth => 1 + Parts.Max(p => p.Depth);

        /// <inheritdoc/>
        public override int Leaves => Parts.Sum(p => p.Leaves);
    }

    /// <summary>The part does not hold.</summary>
    public sealed record Not(Condition Part) : Condition
    {
        /// <inheritdoc/>
        public override bool Holds(IFacts facts, List<LeafTrace>? trace = null) => !Part.Holds(facts, trace);

        /// <inheritdoc/>
        public override bool? HoldsWithoutMetadata(CallFacts facts) => !Part.HoldsWithoutMetadata(facts);

        /// <inheritdoc/>
        public override int Depth => 1 + Part.Depth;

        /// <inheritdoc/>
        public override int Leaves => Part.Leaves;
    }

    /// <summary>One comparison of one fact.</summary>
    public sealed record Leaf(FactField Field, Operator Operator, FactValue Value) : Condition
    {
        /// <inheritdoc/>
        public override bool Holds(IFacts facts, List<LeafTrace>? trace = null)
        {
            var actual = facts[Field];
            var passed = Compare(actual);
            trace?.Add(new(Field, Operator, Value, actual, passed, passed ? null : Note(actual)));
            return passed;
        }

        /// <inheritdoc/>
        public override bool? HoldsWithoutMetadata(CallFacts facts) => Field.Path.Count > 0 ? null : Compare(facts[Field]);

        /// <inheritdoc/>
        public override int Depth => 1;

        /// <inheritdoc/>
        public override int Leaves => 1;

        private bool Compare(FactValue actual) => Operator switch
        {
            Operator.Exists => actual.Type != FactType.Missing,
            Operator.NotExists => actual.Type == FactType.Missing,
            Operator.Eq => actual.Matches(Value),
            Operator.Ne => Comparable(actual) && actual.Type == Value.Type && !actual.Matches(Value),
            Operator.Gt => BothNumbers(actual) && actual.Number > Value.Number,
            Operator.Gte => BothNumbers(actual) && actual.Number >= Value.Number,
            Operator.Lt => BothNumbers(actual) && actual.Number < Value.Number,
            Operator.Lte => BothNumbers(actual) && actual.Number <= Value.Number,
            Operator.In => Value.Items is { } list && list.Any(actual.Matches),
            Operator.NotIn => Value.Items is { } list && Comparable(actual)
                && list.Any(v => v.Type == actual.Type) && !list.Any(actual.Matches),
            Operator.Contains => actual.Type switch
            {
                FactType.String => Value.Type == FactType.String && actual.Text!.Contains(Value.Text!, StringComparison.Ordinal),
                FactType.Array => actual.Items!.Any(item => item.Matches(Value)),
                FactType.Missing or FactType.Null or FactType.Boolean or FactType.Number or FactType.Other => false,
            },
            Operator.StartsWith => BothStrings(actual) && actual.Text!.StartsWith(Value.Text!, StringComparison.Ordinal),
            Operator.EndsWith => BothStrings(actual) && actual.Text!.EndsWith(Value.Text!, StringComparison.Ordinal),
        };

        private static bool Comparable(FactValue actual) =>
            actual.Type is FactType.Null or FactType.Boolean or FactType.Number or FactType.String;

        private bool BothNumbers(FactValue actual) => actual.Type == FactType.Number && Value.Type == FactType.Number;

        private bool BothStrings(FactValue actual) => actual.Type == FactType.String && Value.Type == FactType.String;

        private string? Note(FactValue actual) => actual.Type switch
        {
            FactType.Missing => Field.IsPayload ? "the payload has no such field" : "the call has no such field",
            FactType.Other => "not a value that conditions compare",
            FactType.Null or FactType.Boolean or FactType.Number or FactType.String or FactType.Array =>
                Value.Type is FactType.Missing or FactType.Array || Value.Type == actual.Type || actual.Type == FactType.Array
                    ? null
                    : $"a {actual.Type.ToString().ToLowerInvariant()} does not compare with a {Value.Type.ToString().ToLowerInvariant()}",
        };
    }
}

/// <summary>A pattern in which <c>*</c> stands for any run of characters.</summary>
public sealed record Glob(string Pattern)
{
    /// <summary>Longest pattern, in characters.</summary>
    public const int MaxLength = 128;

    /// <summary>Whether the whole text fits. Linear in practice: the last star is the only one gone back to.</summary>
    public bool Matches(string text)
    {
        int p = 0, t = 0, star = -1, mark = 0;
        while (t < text.Length)
        {
            if (p < Pattern.Length && Pattern[p] == '*')
            {
                star = p++;
                mark = t;
            }
            else if (p < Pattern.Length && Pattern[p] == text[t])
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++mark;
            }
            else return false;
        }
        while (p < Pattern.Length && Pattern[p] == '*') p++;
        return p == Pattern.Length;
    }
}
