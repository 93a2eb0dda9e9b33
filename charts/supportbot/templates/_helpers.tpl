{{/* The name label: never the release, so that all releases share it. */}}
{{- define "supportbot.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Prefix of all names. 40 characters leave room for the longest suffix in a 63 character label. */}}
{{- define "supportbot.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes: selectors are made of these. (root, component) */}}
{{- define "supportbot.selector" -}}
app.kubernetes.io/name: {{ include "supportbot.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Of every object. (root, component) */}}
{{- define "supportbot.labels" -}}
{{ include "supportbot.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: supportbot
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Name, namespace and labels of an object. (root, component, name) */}}
{{- define "supportbot.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "supportbot.labels" . | nindent 2 }}
{{- end -}}

{{/* Of pods. Chart and version stay out: they would restart everything at every upgrade. (root, component, settings) */}}
{{- define "supportbot.podLabels" -}}
{{ include "supportbot.selector" . }}
app.kubernetes.io/part-of: supportbot
{{- with merge (dict) ((.settings | default dict).podLabels | default dict) .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Repository with tag or digest. (root, image) */}}
{{- define "supportbot.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "supportbot.serviceAccount" -}}
{{- default (printf "%s-operator" (include "supportbot.fullname" .)) .Values.serviceAccount.name -}}
{{- end -}}

{{/* Where bots may be, as a JSON list; empty means everywhere. */}}
{{- define "supportbot.watchNamespaces" -}}
{{- if and (eq .Values.rbac.scope "namespace") (empty .Values.watchNamespaces) -}}
{{- list .Release.Namespace | toJson -}}
{{- else -}}
{{- .Values.watchNamespaces | uniq | toJson -}}
{{- end -}}
{{- end -}}

{{/* The head of a pod's spec: identity, restricted security, placement. (root, settings, account, component, spread) */}}
{{- define "supportbot.pod" -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .settings.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .settings.affinity }}
affinity:
  {{- toYaml .settings.affinity | nindent 2 }}
{{- else if .spread }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "supportbot.selector" . | nindent 14 }}
{{- end }}
{{- if .settings.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml .settings.topologySpreadConstraints | nindent 2 }}
{{- else if .spread }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "supportbot.selector" . | nindent 8 }}
{{- end }}
{{- end -}}

{{/* Of every container. */}}
{{- define "supportbot.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* A Kubernetes quantity of memory or storage in bytes; 0 when it is written in another way. */}}
{{- define "supportbot.bytes" -}}
{{- $text := . | toString -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- if regexMatch "^[0-9]+(k|M|G|T|Ki|Mi|Gi|Ti)?$" $text -}}
{{- mul (regexFind "^[0-9]+" $text | int64) (get $units (regexFind "[a-zA-Z]*$" $text) | int64) -}}
{{- else -}}0
{{- end -}}
{{- end -}}

{{/* Whether objects of the Prometheus operator are rendered: "true" or nothing. (root, kind) */}}
{{- define "supportbot.monitoring" -}}
{{- $mode := .root.Values.metrics.renderMode -}}
{{- $there := .root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind) -}}
{{- if and (eq $mode "failIfMissing") (not $there) -}}
{{- fail (printf "metrics.renderMode: the cluster has no %s of monitoring.coreos.com/v1; install the Prometheus operator first, or choose skipIfMissing" .kind) -}}
{{- end -}}
{{- if or $there (eq $mode "alwaysRender") -}}true{{- end -}}
{{- end -}}
