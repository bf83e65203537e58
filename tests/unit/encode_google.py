# SPDX-License-Identifier: MIT
"""The messages of the specifications, whole, for Google's protobuf: names, numbers and types as published, those of fields that we never send too. It knows
neither our .proto files nor our code. decode(PROTOCOL, BYTES) is what Google's decoder makes of a request: a list of (labels, bits, time, start, type, help,
unit) in its order; a field that the specification does not have is a ValueError."""
import struct

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

STALE = 0x7FF0000000000002
PACKAGE = "crm.test"
# message: fields as "number name type", a type with a capital is a message, * is repeated, | one of several
MESSAGES = {
    # Prometheus remote write 1.0
    "WriteRequest": "1 timeseries *TimeSeries, 3 metadata *MetricMetadata",
    "TimeSeries": "1 labels *Label, 2 samples *Sample, 3 exemplars *Exemplar, 4 histograms *Any",
    "Label": "1 name string, 2 value string",
    "Sample": "1 value double, 2 timestamp int64",
    "Exemplar": "1 labels *Label, 2 value double, 3 timestamp int64",
    "MetricMetadata": "1 type int32, 2 metric_family_name string, 4 help string, 5 unit string",
    # 2.0-rc.4
    "Request": "4 symbols *string, 5 timeseries *TimeSeries2",
    "TimeSeries2": "1 labels_refs *uint32, 2 samples *Sample2, 3 histograms *Any, 4 exemplars *Exemplar2, 5 metadata Metadata2",
    "Sample2": "1 value double, 2 timestamp int64, 3 start_timestamp int64",
    "Exemplar2": "1 labels_refs *uint32, 2 value double, 3 timestamp int64",
    "Metadata2": "1 type int32, 3 help_ref uint32, 4 unit_ref uint32",
    # a scrape
    "MetricFamily": "1 name string, 2 help string, 3 type int32, 4 metric *ScrapedMetric, 5 unit string",
    "ScrapedMetric": "1 label *Label, 2 gauge Value, 3 counter Value, 4 summary Any, 5 untyped Value, 7 histogram Any, 6 timestamp_ms int64",
    "Value": "1 value double",
    # OTLP
    "ExportMetricsServiceRequest": "1 resource_metrics *ResourceMetrics",
    "ResourceMetrics": "1 resource Resource, 2 scope_metrics *ScopeMetrics, 3 schema_url string",
    "Resource": "1 attributes *KeyValue, 2 dropped_attributes_count uint32",
    "ScopeMetrics": "1 scope Scope, 2 metrics *Metric, 3 schema_url string",
    "Scope": "1 name string, 2 version string, 3 attributes *KeyValue, 4 dropped_attributes_count uint32",
    "Metric": "1 name string, 2 description string, 3 unit string, 5 gauge |Gauge, 7 sum |Sum, 9 histogram |Any, 10 exponential_histogram |Any, 11 summary |Any",
    "Gauge": "1 data_points *NumberDataPoint",
    "Sum": "1 data_points *NumberDataPoint, 2 aggregation_temporality int32, 3 is_monotonic bool",
    "NumberDataPoint": "7 attributes *KeyValue, 2 start_time_unix_nano fixed64, 3 time_unix_nano fixed64, 4 as_double |double, 6 as_int |sfixed64, 5 exemplars *Any, "
                       "8 flags uint32",
    "KeyValue": "1 key string, 2 value AnyValue",
    "AnyValue": "1 string_value |string, 2 bool_value |bool, 3 int_value |int64, 4 double_value |double, 5 array_value |Any, 6 kvlist_value |Any, 7 bytes_value |bytes",
    "Any": "",
}
FIELD = descriptor_pb2.FieldDescriptorProto


def build():
    file = descriptor_pb2.FileDescriptorProto(name="spec.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in filter(None, fields.split(", ")):
            number, called, kind = field.split()
            made = message.field.add(name=called, number=int(number), label=FIELD.LABEL_REPEATED if kind[0] == "*" else FIELD.LABEL_OPTIONAL)
            if kind[0] == "|":
                if not message.oneof_decl:
                    message.oneof_decl.add(name="one")
                made.oneof_index = 0
            kind = kind.lstrip("*|")
            if kind[0].isupper():
                made.type, made.type_name = FIELD.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
            else:
                made.type = getattr(FIELD, "TYPE_" + kind.upper())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES}


CLASSES = build()


def parse(name, raw):
    message = CLASSES[name]()
    message.ParseFromString(raw)
    known = CLASSES[name]()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    if known.ByteSize() != message.ByteSize():
        raise ValueError(f"{name} has fields that are not in the specification")
    return message


def bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def one(list_):
    if len(list_) != 1:
        raise ValueError(f"{len(list_)} instead of 1")
    return list_[0]


def text(value):
    return value.encode()


def version_1(raw):
    for series in parse("WriteRequest", raw).timeseries:
        sample = one(series.samples)
        yield [(text(label.name), text(label.value)) for label in series.labels], bits(sample.value), sample.timestamp, 0, None, None, None


def version_2(raw):
    request = parse("Request", raw)
    symbols = [text(symbol) for symbol in request.symbols]
    for series in request.timeseries:
        refs, sample, told = list(series.labels_refs), one(series.samples), series.metadata
        labels = [(symbols[name], symbols[value]) for name, value in zip(refs[::2], refs[1::2])]
        yield labels, bits(sample.value), sample.timestamp, sample.start_timestamp, told.type, symbols[told.help_ref], symbols[told.unit_ref]


def otlp(raw):
    for resource in parse("ExportMetricsServiceRequest", raw).resource_metrics:
        for metric in one(resource.scope_metrics).metrics:
            if metric.unit != "":
                raise ValueError("a unit, from which Prometheus would make another name")
            for point in getattr(metric, metric.WhichOneof("one")).data_points:
                stale = point.flags & 1
                if (point.WhichOneof("one") == "as_double") == stale:
                    raise ValueError("neither a value nor none")
                labels = [(b"__name__", text(metric.name))] + [(text(pair.key), text(pair.value.string_value)) for pair in point.attributes]
                yield (labels, STALE if stale else bits(point.as_double), point.time_unix_nano, point.start_time_unix_nano,
                       {"sum": 1, "gauge": 2}[metric.WhichOneof("one")], text(metric.description), None)


def scrape(raw):
    """(name, labels, value) of each series of length-delimited families."""
    at = 0
    while at < len(raw):
        size = shift = 0
        while True:
            size |= (raw[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if raw[at - 1] < 0x80:
                break
        family = parse("MetricFamily", raw[at:at + size])
        at += size
        if at > len(raw) or family.help == "":
            raise ValueError("cut off, or without help")
        for metric in family.metric:
            value = {0: metric.counter, 1: metric.gauge}[family.type].value
            yield family.name, [(label.name, label.value) for label in metric.label], value


def decode(protocol, raw):
    return list((version_1, version_2, otlp)[protocol](raw))
