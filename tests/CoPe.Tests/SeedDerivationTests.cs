using System.Globalization;
using System.Runtime.Intrinsics;
using System.Text;

namespace CoPe.Tests;

/// <summary>
/// Every adapter and answer depends on these numbers. The expected ones were computed by another program from the
/// published algorithms; a change of one of them would silently make every run a different one.
/// </summary>
public class SeedDerivationTests
{
    [Fact]
    public void The_seed_of_a_part_is_pinned()
    {
        Assert.Equal(1863399705354648055, SeedDerivation.Derive(42, "predict", "q1"));
        Assert.Equal(8407183293560948051, SeedDerivation.Derive(42, "train sft"));
        Assert.Equal(2566535837389944786, SeedDerivation.Derive(-1, "chat", "0"));
    }

    [Fact]
    public void The_seed_of_a_history_item_is_pinned()
    {
        Assert.Equal(2480277727927192962, SeedDerivation.DeriveForItem(42, "u1", "7"));
        Assert.Equal(3709836240830423257, SeedDerivation.DeriveForItem(0, "Zoë", "a b"));
    }

    [Fact]
    public void The_seed_of_a_trained_user_is_pinned()
    {
        Assert.Equal(8690767576587608489, SeedDerivation.DeriveForUser(42, "Zoë"));
        Assert.Equal(-4397215161228563166, SeedDerivation.DeriveForUser(42, "u1"));
    }

    [Fact]
    public void The_seed_of_a_step_is_pinned()
    {
        Assert.Equal(-4767286540954276203, SeedDerivation.Combine(42));
        Assert.Equal(-409945945691060918, SeedDerivation.Combine(42, 3));
        Assert.Equal(4052448592440306160, SeedDerivation.Combine(42, 7, 1));
        Assert.Equal(-5970105824593227592, SeedDerivation.Combine(-5, 0));
    }

    [Fact]
    public void The_seed_of_sample_data_is_pinned()
    {
        Assert.Equal(7622060913600592737ul, SeedDerivation.DeriveForSamples(7, "Zoë"));
        Assert.Equal(10715823603775659139ul, SeedDerivation.DeriveForSamples(1, "news"));
    }

    [Fact]
    public void The_place_of_a_user_in_the_drawing_is_pinned() =>
        Assert.Equal(
            UInt128.Parse("316622844786759263366877950542769821775", CultureInfo.InvariantCulture),
            SeedDerivation.RankUser(3, "u1")
        );

    [Fact]
    public void The_generator_gives_the_published_numbers()
    {
        var numbers = new SplitMix64(1234567);
        ulong[] expected =
        [
            6457827717110365317,
            3203168211198807973,
            9817491932198370423,
            4593380528125082431,
            16408922859458223821,
        ];
        Assert.All(expected, number => Assert.Equal(number, numbers.Next()));
        Assert.Equal(expected[0], SplitMix64.Hash(1234567));
    }

    [Fact]
    public void Bounded_numbers_are_pinned()
    {
        var numbers = new SplitMix64(9);
        Assert.Equal([6, 7, 2, 7, 2, 1, 6, 9], Enumerable.Range(0, 8).Select(_ => numbers.NextBelow(10)));
        numbers = new SplitMix64(9);
        Assert.Equal(
            [0.6823627349789958, 0.7506948929582787, 0.2653224405991833],
            Enumerable.Range(0, 3).Select(_ => numbers.NextDouble())
        );
    }

    [Fact]
    public void The_numbers_of_a_sample_are_pinned_by_position()
    {
        var sample = new UniformGenerator(42, 0);
        Assert.Equal(
            [0.15198279940523207, 0.349203861085698, 0.8480272789020091],
            Enumerable.Range(0, 3).Select(sample.At)
        );
        Assert.Equal(0.4421890447847545, new UniformGenerator(-7, 3).At(100));
    }

    [Fact]
    public void The_hash_of_dropout_is_pinned_and_the_same_for_one_column_as_for_sixteen()
    {
        const ulong Key = 0x0123456789abcdef;
        Assert.Equal(
            [0xda2c9824, 0xf0fee78d, 0x0d473864, 0x109779cf],
            Enumerable.Range(0, 4).Select(column => DropoutHash.Hash(Key, (uint)column))
        );
        var columns = DropoutHash.HashColumns(Key, 100);
        Assert.All(
            Enumerable.Range(0, 16),
            i => Assert.Equal(DropoutHash.Hash(Key, (uint)(100 + i)), columns.GetElement(i))
        );
    }

    [Fact]
    public void The_generator_of_shuffles_and_bootstraps_is_pinned()
    {
        var random = SeededRandom.Create(1);
        Assert.Equal([24, 11, 46, 77, 65], Enumerable.Range(0, 5).Select(_ => random.Next(100)));
    }

    [Fact]
    public void The_hashes_are_the_published_ones()
    {
        Assert.Equal(0xcbf29ce484222325, StableHash.Fnv1a64(""u8));
        Assert.Equal(0xaf63dc4c8601ec8c, StableHash.Fnv1a64("a"u8));
        Assert.Equal(0x17a3b76d1a6f5cbcUL, StableHash.Fnv1a64(Encoding.UTF8.GetBytes("Zoë")));
        Assert.Equal(0xe450951a25233ef7, StableHash.Fnv1a64("Zoë"));
        Assert.Equal(0xe40c292c, StableHash.Fnv1a32("a"u8));
        Assert.Equal(0xc2a2bddc, StableHash.Fnv1a32(Encoding.UTF8.GetBytes("Zoë")));
        Assert.Equal("c6a12698582fc1104ea24107a2d7268145ff06ef859707729d01fd060897f067", StableHash.Sha256Hex("Zoë"));
    }
}
