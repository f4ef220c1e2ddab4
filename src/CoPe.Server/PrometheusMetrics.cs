using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace CoPe.Server;

/// <summary>
/// What an engine's meter measures, in Prometheus' text format. It creates the meter, and listens to that one alone.
/// </summary>
sealed class PrometheusMetrics : IMeterFactory
{
    static readonly double[] Bounds = [.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60];

    readonly Lock _gate = new();
    readonly List<Meter> _meters = [];
    readonly MeterListener _listener = new();
    readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);

    public PrometheusMetrics()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (_meters.Contains(instrument.Meter))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    /// <summary>All series as they are now.</summary>
    public string Render()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_gate)
        {
            foreach (var (name, series) in _series)
            {
                series.Render(text, name);
            }
        }

        return text.ToString();
    }

    void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new StringBuilder();
        foreach (var (key, tag) in tags)
        {
            labels.Append(labels.Length > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $"{key}=\"{tag}\"");
        }

        lock (_gate)
        {
            var name = CreateName(instrument);
            if (!_series.TryGetValue(name, out var series))
            {
                series = new Series(FindKind(instrument), instrument.Description ?? "", instrument.IsObservable);
                _series[name] = series;
            }

            series.Record(labels.ToString(), value);
        }
    }

    static string FindKind(Instrument instrument) =>
        instrument switch
        {
            Histogram<double> => "histogram",
            Counter<long> or ObservableCounter<long> => "counter",
            _ => "gauge",
        };

    static string CreateName(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_');
        name = name.StartsWith("cope_", StringComparison.Ordinal) ? name : "cope_" + name;
        return FindKind(instrument) switch
        {
            "histogram" => name + "_seconds",
            "counter" => name + "_total",
            _ => name,
        };
    }

    public void Dispose()
    {
        _listener.Dispose();
        _meters.ForEach(meter => meter.Dispose());
    }

    /// <summary>One name with its labels.</summary>
    sealed class Series(string kind, string description, bool isObserved)
    {
        readonly SortedDictionary<string, double> _values = new(StringComparer.Ordinal);
        readonly long[] _counts = new long[Bounds.Length + 1];
        double _sum;

        public void Record(string labels, double value)
        {
            if (kind == "histogram")
            {
                var place = Array.FindIndex(Bounds, bound => value <= bound);
                _counts[place < 0 ? Bounds.Length : place]++;
                _sum += value;
                return;
            }

            // An observed value is the whole, a counted one what is added.
            _values[labels] = isObserved ? value : _values.GetValueOrDefault(labels) + value;
        }

        public void Render(StringBuilder text, string name)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {description}\n# TYPE {name} {kind}\n");
            foreach (var (labels, value) in _values)
            {
                var braced = labels.Length == 0 ? "" : $"{{{labels}}}";
                text.Append(CultureInfo.InvariantCulture, $"{name}{braced} {value}\n");
            }

            if (kind != "histogram")
            {
                return;
            }

            var below = 0L;
            foreach (var (place, bound) in Bounds.Index())
            {
                below += _counts[place];
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{le=\"{bound}\"}} {below}\n");
            }

            below += _counts[^1];
            text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{le=\"+Inf\"}} {below}\n");
            text.Append(CultureInfo.InvariantCulture, $"{name}_sum {_sum}\n{name}_count {below}\n");
        }
    }
}
