using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Modeling.Safetensors;

/// <summary>
/// A file mapped read-only, whose bytes serve as tensors in place. Every tensor (and whatever views share its storage) keeps the mapping alive;
/// it is released with the last of them, so that no tensor can outlive its memory.
/// </summary>
sealed unsafe partial class MappedFile : IDisposable
{
    /// <summary>Native code holds the release callbacks of mappings in use; this keeps the garbage collector from taking them.</summary>
    static readonly ConcurrentDictionary<MappedFile, byte> InUse = new();

    readonly MemoryMappedFile file;
    readonly MemoryMappedViewAccessor view;
    readonly ReleaseCallback release;
    readonly byte* start;
    int holders = 1;

    public MappedFile(string path)
    {
        file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        release = _ => Release();
        InUse.TryAdd(this, 0);
    }

    /// <summary>Mappings that a tensor or their opener still holds.</summary>
    internal static int Count => InUse.Count;

    /// <summary>A tensor over the bytes of an entry, without a copy. Read-only: writing to it would fault.</summary>
    public Tensor Tensor(TensorEntry entry)
    {
        if (entry.Bytes == 0) return empty([.. entry.Shape], dtype: entry.Dtype).DetachFromDisposeScope();
        var size = SafetensorsDtype.BytesOf(entry.Dtype);
        var data = (nint)(start + view.PointerOffset + entry.Offset);
        Interlocked.Increment(ref holders);
        using var flat = torch.Tensor.UnsafeCreateTensor(FromBuffer(data, release, entry.Bytes / size, 0, (sbyte)entry.Dtype, (sbyte)entry.Dtype, 0, -1, false));
        CheckForErrors();
        // A tensor at an address that is no multiple of its element size would be undefined behaviour in native code.
        if (data % size != 0) return Unaligned(data, entry);
        return flat.view([.. entry.Shape]).DetachFromDisposeScope();
    }

    static Tensor Unaligned(nint data, TensorEntry entry)
    {
        var copy = empty([.. entry.Shape], dtype: entry.Dtype).DetachFromDisposeScope();
        new ReadOnlySpan<byte>((void*)data, checked((int)entry.Bytes)).CopyTo(copy.bytes);
        return copy;
    }

    /// <summary>The opener needs no more tensors; those handed out stay valid.</summary>
    public void Dispose() => Release();

    void Release()
    {
        if (Interlocked.Decrement(ref holders) != 0) return;
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
        InUse.TryRemove(this, out _);
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    delegate void ReleaseCallback(nint data);

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_frombuffer")]
    private static partial nint FromBuffer(nint data, ReleaseCallback release, long count, long offset, sbyte type, sbyte dtype, int deviceType, int deviceIndex,
        [MarshalAs(UnmanagedType.U1)] bool requiresGrad);
}
