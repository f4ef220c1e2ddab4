using CoPe.Kernels.Gemm;

namespace CoPe.Tests.Kernels.Gemm;

public class AssemblerTests
{
    /// <summary>
    /// Each instruction and the bytes that GNU's assembler makes of it (with the prefix <c>{disp32}</c>).
    /// </summary>
    static readonly (string Expected, Action<Assembler> Write)[] Instructions =
    [
        ("4C8B8710000000", asm => asm.LoadInteger(8, new(7, Displacement: 16))), // mov r8, [rdi+16]
        ("4F8D944900000000", asm => asm.LoadAddress(10, new(9, 9, 2))), // lea r10, [r9+r9*2]
        ("4981C044332211", asm => asm.Add(8, 0x11223344)), // add r8, 0x11223344
        ("4881C244332211", asm => asm.Add(2, 0x11223344)), // add rdx, 0x11223344
        ("410F189340000000", asm => asm.Prefetch(new(11, Displacement: 64))), // prefetcht1 [r11+64]
        ("62917C48109C1000000000", asm => asm.Load(3, new(8, 10))), // vmovups zmm3, [r8+r10]
        ("62917C4810944800000000", asm => asm.Load(2, new(8, 9, 2))), // vmovups zmm2, [r8+r9*2]
        ("62F17C4810A280000000", asm => asm.Load(4, new(2, Displacement: 128))), // vmovups zmm4, [rdx+128]
        ("62E17C48118A40000000", asm => asm.Store(new(2, Displacement: 64), 17)), // vmovups [rdx+64], zmm17
        ("62A17D40EFC0", asm => asm.Clear(16)), // vpxord zmm16, zmm16, zmm16
        ("62010540EFFF", asm => asm.Clear(31)), // vpxord zmm31, zmm31, zmm31
        ("62E27E4852C4", asm => asm.DotPairs(16, 0, 4)), // vdpbf16ps zmm16, zmm0, zmm4
        ("6222664852FC", asm => asm.DotPairs(31, 3, 20)), // vdpbf16ps zmm31, zmm3, zmm20
        ("48FFC90F85F7FFFFFF", asm => asm.CountDown(1, 0)), // back: dec rcx; jnz back
        ("48C7C240000000", asm => asm.Set(2, 64)), // mov rdx, 64
        ("C4E278498700000000", asm => asm.LoadTileConfig(new(7))), // ldtilecfg [rdi]
        ("C4E27849C0", asm => asm.ReleaseTiles()), // tilerelease
        ("C4E27B49D8", asm => asm.ClearTile(3)), // tilezero tmm3
        ("C4827B4BA40800000000", asm => asm.LoadTile(4, new(8, 9))), // tileloadd tmm4, [r8+r9]
        ("C4E27B4BBC1600000000", asm => asm.LoadTile(7, new(6, 2))), // tileloadd tmm7, [rsi+rdx]
        ("C4C27A4B8C1300040000", asm => asm.StoreTile(new(11, 2, 1, 1024), 1)), // tilestored [r11+rdx+1024], tmm1
        ("C4E2425CDD", asm => asm.MultiplyTiles(3, 5, 7)), // tdpbf16ps tmm3, tmm5, tmm7
        ("C5F877C3", asm => asm.Return()), // vzeroupper; ret
    ];

    [Fact]
    public void Every_instruction_has_the_bytes_of_a_known_assembler() =>
        Assert.All(
            Instructions,
            instruction =>
            {
                var asm = new Assembler();
                instruction.Write(asm);
                Assert.Equal(instruction.Expected, Convert.ToHexString(asm.ToArray()));
            }
        );
}
