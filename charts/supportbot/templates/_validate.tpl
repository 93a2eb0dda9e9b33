{{/* What the schema cannot say: values that do not fit each other. All faults at once, each with its path. */}}
{{- define "supportbot.validate" -}}
{{- $nats := .Values.nats -}}
{{- $faults := list -}}
{{- if and (not $nats.enabled) (not $nats.url) -}}
{{- $faults = append $faults "nats.url: is required with nats.enabled=false" -}}
{{- end -}}
{{- if $nats.enabled -}}
{{- if $nats.url -}}
{{- $faults = append $faults "nats.url: is of an external NATS; set nats.enabled=false too" -}}
{{- end -}}
{{- if $nats.existingSecret -}}
{{- $faults = append $faults "nats.existingSecret: is of an external NATS; set nats.enabled=false too" -}}
{{- end -}}
{{- if and (gt (int $nats.replicas) 1) (not $nats.tls.enabled) -}}
{{- $faults = append $faults "nats.tls.enabled: must be true with more than one server, or any pod could join the cluster" -}}
{{- end -}}
{{- if gt (int .Values.bots.streams.replicas) (int $nats.replicas) -}}
{{- $faults = append $faults (printf "bots.streams.replicas: %d copies need as many servers, and nats.replicas is %d" (int .Values.bots.streams.replicas) (int $nats.replicas)) -}}
{{- end -}}
{{- $bot := add (div (mul 7 (int64 .Values.bots.streams.bytes)) 2) (int64 .Values.bots.streams.mediaBytes) -}}
{{- if gt (int64 $bot) (include "supportbot.nats.maxFile" . | int64) -}}
{{- $faults = append $faults (printf "nats.storage.size: one bot reserves %d bytes, and nine tenths of %s are %s; enlarge it, or make bots.streams smaller" $bot $nats.storage.size (include "supportbot.nats.maxFile" .)) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.otelCollector.enabled (not .Values.jaeger.enabled) (not .Values.otelCollector.exporters) -}}
{{- $faults = append $faults "otelCollector.exporters: the collector has nowhere to send traces; add one, or set jaeger.enabled=true" -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- $faults = append $faults "serviceAccount.name: is required with serviceAccount.create=false" -}}
{{- end -}}
{{- $watched := include "supportbot.watchNamespaces" . | fromJsonArray -}}
{{- if and .Values.demo.enabled $watched (not (has .Release.Namespace $watched)) -}}
{{- $faults = append $faults (printf "watchNamespaces: must contain the release's namespace %q with demo.enabled=true" .Release.Namespace) -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "the values do not fit each other:\n  - %s" (join "\n  - " $faults)) -}}
{{- end -}}
{{- end -}}

{{/* Bytes that JetStream may use: nine tenths of the volume, as the file system and its metadata need some. */}}
{{- define "supportbot.nats.maxFile" -}}
{{- div (mul (include "supportbot.bytes" .Values.nats.storage.size | int64) 9) 10 -}}
{{- end -}}
