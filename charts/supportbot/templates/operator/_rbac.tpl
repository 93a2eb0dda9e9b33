{{/* What the operator does in a namespace with bots. No wildcard; secrets are read by name only, never listed. */}}
{{- define "supportbot.operator.rules" -}}
- apiGroups: [supportbot.dev]
  resources: [supportbots]
  verbs: [get, list, watch]
- apiGroups: [supportbot.dev]
  resources: [supportbots/status]
  verbs: [patch]
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, configmaps, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch, delete]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, patch]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* The binding's subject. */}}
{{- define "supportbot.operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "supportbot.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
