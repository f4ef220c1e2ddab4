namespace CoPe.Experiments.Data.Building;

/// <summary>
/// Walks a structure in Thrift's compact protocol and says whether its counts and lengths lie within the bytes. A
/// reader that trusts them works for minutes on a list of a billion elements of which there is none; one that trusts a
/// field to be what its id says reads beyond the end where it is something else.
/// </summary>
/// <remarks>
/// Source: the Thrift compact protocol specification
/// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
/// </remarks>
ref struct ThriftWalk
{
    const int MaxDepth = 64;
    const int Stop = 0;
    const int True = 1;
    const int False = 2;
    const int Byte = 3;
    const int Double = 7;
    const int Binary = 8;
    const int List = 9;
    const int Set = 10;
    const int Map = 11;
    const int Struct = 12;

    readonly ReadOnlySpan<byte> _bytes;
    readonly ThriftSchema? _schema;
    int _position;

    /// <summary>A walk from the first byte.</summary>
    /// <param name="bytes">The structure, and maybe more.</param>
    /// <param name="schema">What fields must be; null where they may be anything.</param>
    public ThriftWalk(ReadOnlySpan<byte> bytes, ThriftSchema? schema = null)
    {
        _bytes = bytes;
        _schema = schema;
    }

    /// <summary>Bytes that were walked.</summary>
    public readonly int Position => _position;

    /// <summary>
    /// Walks a structure and notes its whole numbers and truths, and those of the structures in it, by their field ids
    /// from the outside in. False where it does not end.
    /// </summary>
    /// <param name="structure">Name of the structure in the schema.</param>
    /// <param name="numbers">Receives them.</param>
    public bool TryReadNumbers(string structure, IDictionary<(int Outer, int Inner), long> numbers) =>
        WalkStruct(structure, 0, 0, numbers);

    /// <summary>Walks a structure. False where it does not end, or a field is not what the schema says.</summary>
    public bool TrySkip(string structure) => SkipStruct(structure, 0);

    bool SkipStruct(string? structure, int depth) => WalkStruct(structure, depth, 0, numbers: null);

    bool WalkStruct(string? structure, int depth, int outer, IDictionary<(int Outer, int Inner), long>? numbers)
    {
        if (depth > MaxDepth)
        {
            return false;
        }

        for (var field = 0; TryReadByte(out var header);)
        {
            if (header == Stop)
            {
                return true;
            }

            var type = header & 0xf;

            var distance = header >> 4;
            var written = 0UL;
            if (distance == 0 && !TryReadNumber(out written))
            {
                return false;
            }

            field = distance == 0 ? (int)Decode(written) : field + distance;
            var expected = _schema?.FindType(structure, field);
            if (expected is not null && !Fits(type, expected))
            {
                return false;
            }

            var isWalked = numbers switch
            {
                not null when type is > Byte and < Double => TryNote(outer, field, numbers),
                not null when type is True or False => Note(outer, field, type == True ? 1 : 0, numbers),
                not null when type == Struct && depth == 0 => WalkStruct(expected, depth + 1, field, numbers),
                _ => SkipField(type, expected, depth),
            };
            if (!isWalked)
            {
                return false;
            }
        }

        return false;
    }

    bool TryNote(int outer, int field, IDictionary<(int Outer, int Inner), long> numbers)
    {
        if (!TryReadNumber(out var written))
        {
            return false;
        }

        return Note(outer, field, Decode(written), numbers);
    }

    static bool Note(int outer, int field, long value, IDictionary<(int Outer, int Inner), long> numbers)
    {
        numbers[(outer, field)] = value;
        return true;
    }

    /// <summary>Signed numbers are written with the sign in the last bit.</summary>
    static long Decode(ulong written) => (long)(written >> 1) ^ -(long)(written & 1);

    static bool Fits(int type, string expected) =>
        expected switch
        {
            "truth" => type is True or False,
            "byte" => type == Byte,
            "number" => type is > Byte and < Double,
            "double" => type == Double,
            "text" => type == Binary,
            ['[', ..] => type == List,
            _ => type == Struct,
        };

    /// <summary>A truth of a field stands in the field's header; elsewhere it is a byte.</summary>
    bool SkipField(int type, string? expected, int depth) => type is True or False || SkipValue(type, expected, depth);

    bool SkipValue(int type, string? expected, int depth) =>
        type switch
        {
            True or False or Byte => Skip(1),
            > Byte and < Double => TryReadNumber(out _),
            Double => Skip(sizeof(double)),
            Binary => TryReadNumber(out var length) && Skip(length),
            List or Set => SkipList(expected?[1..^1], depth + 1),
            Map => SkipMap(depth + 1),
            Struct => SkipStruct(expected, depth + 1),
            _ => false,
        };

    bool SkipList(string? element, int depth)
    {
        const int CountFollows = 15;
        if (depth > MaxDepth || !TryReadByte(out var header))
        {
            return false;
        }

        var (count, type) = ((ulong)(header >> 4), header & 0xf);
        if (count == CountFollows && !TryReadNumber(out count))
        {
            return false;
        }

        return (element is null || count == 0 || Fits(type, element)) && SkipAll(count, type, element, depth);
    }

    bool SkipMap(int depth)
    {
        if (depth > MaxDepth || !TryReadNumber(out var count))
        {
            return false;
        }

        if (count == 0)
        {
            return true;
        }

        if (!TryReadByte(out var types))
        {
            return false;
        }

        for (var entry = 0UL; entry < count; entry++)
        {
            if (!SkipValue(types >> 4, null, depth) || !SkipValue(types & 0xf, null, depth))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Every value takes a byte at least, so that a count beyond what is there ends at once.</summary>
    bool SkipAll(ulong count, int type, string? element, int depth)
    {
        if (count > (ulong)(_bytes.Length - _position))
        {
            return false;
        }

        for (var i = 0UL; i < count; i++)
        {
            if (!SkipValue(type, element, depth))
            {
                return false;
            }
        }

        return true;
    }

    bool Skip(ulong count)
    {
        if (count > (ulong)(_bytes.Length - _position))
        {
            return false;
        }

        _position += (int)count;
        return true;
    }

    bool TryReadByte(out byte value)
    {
        value = 0;
        if (_position == _bytes.Length)
        {
            return false;
        }

        value = _bytes[_position++];
        return true;
    }

    /// <summary>Reads a number of seven bits a byte, the lowest first.</summary>
    public bool TryReadNumber(out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (!TryReadByte(out var part))
            {
                return false;
            }

            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
