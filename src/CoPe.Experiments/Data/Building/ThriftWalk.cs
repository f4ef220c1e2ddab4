namespace CoPe.Experiments.Data.Building;

/// <summary>
/// Walks a structure in Thrift's compact protocol and says whether its counts and lengths lie within the bytes. A
/// reader that trusts them works for minutes on a list of a billion elements of which there is none.
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
    int _position;

    public ThriftWalk(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Bytes that were walked.</summary>
    public readonly int Position => _position;

    /// <summary>
    /// Walks a structure and notes its whole numbers and truths, and those of the structures in it, by their field ids
    /// from the outside in. False where it does not end.
    /// </summary>
    public bool TryReadNumbers(IDictionary<(int Outer, int Inner), long> numbers) => WalkStruct(0, 0, numbers);

    /// <summary>Walks a structure. False where it does not end.</summary>
    public bool TrySkip() => SkipStruct(0);

    bool SkipStruct(int depth) => WalkStruct(depth, 0, numbers: null);

    bool WalkStruct(int depth, int outer, IDictionary<(int Outer, int Inner), long>? numbers)
    {
        if (depth > MaxDepth)
        {
            return false;
        }

        for (var field = 0; TryReadByte(out var header); )
        {
            var type = header & 0xf;
            if (type == Stop)
            {
                return true;
            }

            var distance = header >> 4;
            var written = 0UL;
            if (distance == 0 && !TryReadNumber(out written))
            {
                return false;
            }

            field = distance == 0 ? (int)Decode(written) : field + distance;
            var isWalked = numbers switch
            {
                not null when type is > Byte and < Double => TryNote(outer, field, numbers),
                not null when type is True or False => Note(outer, field, type == True ? 1 : 0, numbers),
                not null when type == Struct && depth == 0 => WalkStruct(depth + 1, field, numbers),
                _ => SkipField(type, depth),
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

    /// <summary>A truth of a field stands in the field's header; elsewhere it is a byte.</summary>
    bool SkipField(int type, int depth) => type is True or False || SkipValue(type, depth);

    bool SkipValue(int type, int depth) =>
        type switch
        {
            True or False or Byte => Skip(1),
            > Byte and < Double => TryReadNumber(out _),
            Double => Skip(sizeof(double)),
            Binary => TryReadNumber(out var length) && Skip(length),
            List or Set => SkipList(depth + 1),
            Map => SkipMap(depth + 1),
            Struct => SkipStruct(depth + 1),
            _ => false,
        };

    bool SkipList(int depth)
    {
        const int CountFollows = 15;
        if (depth > MaxDepth || !TryReadByte(out var header))
        {
            return false;
        }

        var count = (ulong)(header >> 4);
        return (count != CountFollows || TryReadNumber(out count)) && SkipAll(count, header & 0xf, depth);
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
            if (!SkipValue(types >> 4, depth) || !SkipValue(types & 0xf, depth))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Every value takes a byte at least, so that a count beyond what is there ends at once.</summary>
    bool SkipAll(ulong count, int type, int depth)
    {
        if (count > (ulong)(_bytes.Length - _position))
        {
            return false;
        }

        for (var element = 0UL; element < count; element++)
        {
            if (!SkipValue(type, depth))
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
