using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using CoPe.Kernels.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Modeling.Safetensors;

/// <summary>
/// A file mapped read-only, whose bytes serve as tensors in place. Every tensor (and whatever views share its storage)
/// keeps the mapping alive; it is released with the last of them, so that no tensor can outlive its memory.
/// </summary>
sealed unsafe partial class MappedFile : IDisposable
{
    /// <summary>
    /// Native code holds the release callbacks of mappings in use; this keeps the garbage collector from taking them.
    /// </summary>
    static readonly ConcurrentDictionary<MappedFile, byte> InUse = new();

    readonly MemoryMappedFile _file;
    readonly MemoryMappedViewAccessor _view;
    readonly ReleaseCallback _release;
    readonly byte* _start;
    int _holders = 1;

    public MappedFile(string path)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        try
        {
            _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        }
        catch
        {
            _file.Dispose();
            throw;
        }

        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _release = _ => Release();
        InUse.TryAdd(this, 0);
    }

    /// <summary>Mappings that a tensor or their opener still holds.</summary>
    public static int OpenCount => InUse.Count;

    /// <summary>
    /// A tensor over the bytes of an entry, without a copy, owned by the caller. Read-only: writing to it would fault.
    /// </summary>
    public Tensor CreateTensor(TensorEntry entry, ScalarType dtype)
    {
        if (entry.Bytes == 0)
        {
            return empty([.. entry.Shape], dtype: dtype).DetachFromDisposeScope();
        }

        var size = SafetensorsDtype.GetElementSize(dtype);
        var data = (nint)(_start + _view.PointerOffset + entry.Offset);
        // A tensor at an address that is no multiple of its element size would be undefined behavior in native code.
        if (data % size != 0)
        {
            return CopyUnaligned(data, entry, dtype);
        }

        Interlocked.Increment(ref _holders);
        var type = (sbyte)dtype;
        var handle = FromBuffer(data, _release, entry.Bytes / size, 0, type, type, 0, -1, false);
        using var flat = torch.Tensor.UnsafeCreateTensor(handle);
        CheckForErrors();
        return flat.view([.. entry.Shape]).DetachFromDisposeScope();
    }

    static Tensor CopyUnaligned(nint data, TensorEntry entry, ScalarType dtype)
    {
        var copy = empty([.. entry.Shape], dtype: dtype).DetachFromDisposeScope();
        Buffer.MemoryCopy((void*)data, TensorMemory.GetPointer(copy), entry.Bytes, entry.Bytes);
        return copy;
    }

    /// <summary>The opener needs no more tensors; those handed out stay valid.</summary>
    public void Dispose() => Release();

    void Release()
    {
        if (Interlocked.Decrement(ref _holders) != 0)
        {
            return;
        }

        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        InUse.TryRemove(this, out _);
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    delegate void ReleaseCallback(nint data);

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_frombuffer")]
    private static partial nint FromBuffer(
        nint data,
        ReleaseCallback release,
        long count,
        long offset,
        sbyte type,
        sbyte dtype,
        int deviceType,
        int deviceIndex,
        [MarshalAs(UnmanagedType.U1)] bool requiresGrad
    );
}
