using System.Text.Json;

namespace Systolic.Tests.Exploration;

/// <summary>The part of JSON Schema (draft 2020-12) that docs/sweep.schema.json uses. An unknown keyword is an error, so nothing is passed over.</summary>
internal sealed class SchemaCheck(JsonElement root)
{
    public bool Accepts(JsonElement value) => Accepts(root, value);

    private bool Accepts(JsonElement schema, JsonElement value) => schema.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => schema.EnumerateObject().All(rule => Accepts(schema, rule, value)),
    };

    private bool Accepts(JsonElement schema, JsonProperty rule, JsonElement value)
    {
        bool isObject = value.ValueKind == JsonValueKind.Object, isNumber = value.ValueKind == JsonValueKind.Number;
        JsonElement of = rule.Value;
        return rule.Name switch
        {
            "$schema" or "title" or "description" or "$defs" => true,
            "$ref" => Accepts(of.GetString()!.Split('/')[1..].Aggregate(root, (at, key) => at.GetProperty(key)), value),
            "type" => (of.ValueKind == JsonValueKind.Array ? of.EnumerateArray().Select(type => type.GetString()) : [of.GetString()]).Any(type => IsA(type!, value)),
            "enum" => of.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value)),
            "required" => !isObject || of.EnumerateArray().All(key => value.TryGetProperty(key.GetString()!, out _)),
            "properties" => !isObject || of.EnumerateObject().All(property => !value.TryGetProperty(property.Name, out JsonElement found) || Accepts(property.Value, found)),
            "additionalProperties" => !isObject || value.EnumerateObject().All(member =>
                (schema.TryGetProperty("properties", out JsonElement known) && known.TryGetProperty(member.Name, out _)) || Accepts(of, member.Value)),
            "items" => value.ValueKind != JsonValueKind.Array || value.EnumerateArray().All(item => Accepts(of, item)),
            "minimum" => !isNumber || value.GetDouble() >= of.GetDouble(),
            "maximum" => !isNumber || value.GetDouble() <= of.GetDouble(),
            "minLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.Length >= of.GetInt32(),
            "oneOf" => of.EnumerateArray().Count(one => Accepts(one, value)) == 1,
            "anyOf" => of.EnumerateArray().Any(one => Accepts(one, value)),
            _ => throw new NotSupportedException($"The schema uses {rule.Name}, which this check does not know."),
        };
    }

    private static bool IsA(string type, JsonElement value) => (type, value.ValueKind) switch
    {
        ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) or ("number", JsonValueKind.Number)
            or ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
        ("integer", JsonValueKind.Number) => value.TryGetInt64(out _),
        _ => false,
    };
}
