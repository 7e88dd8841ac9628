using Mono.Cecil;
using Mono.Cecil.Cil;
using Rev.ArchitectureTests.Common;

namespace Rev.ArchitectureTests;

/// <summary>A refusal that nobody looks at is no refusal.</summary>
public sealed class ResultTests
{
    private const string ResultName = "Rev.Domain.Common.Result";

    [Fact]
    public void No_result_is_dropped()
    {
        foreach (var assembly in Repo.All) Dropped(assembly, "Rev.").Broken.ShouldBeEmpty();
        Dropped(Repo.Application, "Rev.").Holds(40);
    }

    [Fact]
    public void A_dropped_result_is_found() =>
        Dropped(Repo.Tests, "Rev.ArchitectureTests.Twins.Results").Fails("One", "Generic", "Awaited", "Unawaited");

    // A call that answers a result, or a task of one, whose answer is popped off the stack.
    private static Verdict Dropped(System.Reflection.Assembly assembly, string within)
    {
        using var module = ModuleDefinition.ReadModule(assembly.Location);
        var calls =
            from type in module.GetTypes()
            where type.FullName.StartsWith(within, StringComparison.Ordinal)
            from method in type.Methods
            where method.HasBody
            from instruction in method.Body.Instructions
            where instruction.Operand is MethodReference callee && IsResult(Answer(callee))
            select (method, instruction);
        return Verdict.Of(calls, c => Next(c.instruction)?.OpCode == OpCodes.Pop ? [$"{c.method.FullName} drops {c.instruction.Operand}"] : []);
    }

    private static Instruction? Next(Instruction instruction)
    {
        var next = instruction.Next;
        while (next?.OpCode == OpCodes.Nop) next = next.Next;
        return next;
    }

    private static TypeReference Answer(MethodReference callee) =>
        callee.ReturnType is GenericParameter { Type: GenericParameterType.Type } parameter && callee.DeclaringType is GenericInstanceType instance
            ? instance.GenericArguments[parameter.Position]
            : callee.ReturnType;

    private static bool IsResult(TypeReference type) =>
        type.FullName == ResultName || type.FullName.StartsWith(ResultName + "`1<", StringComparison.Ordinal)
        || (type is GenericInstanceType { Name: "Task`1" or "ValueTask`1" } task && IsResult(task.GenericArguments[0]));
}
