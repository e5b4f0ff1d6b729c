{{/* --- names and labels */}}

{{- define "canang.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains "canang" .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-canang" (.Release.Name | trunc 38 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "canang.redisName" -}}
{{- include "canang.fullname" . }}-redis
{{- end -}}

{{- define "canang.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "canang.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "canang.image" -}}
{{- .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion -}}
{{- end -}}

{{/* What selects the pods of a component: (dict "root" $ "component" "server"). Alerts, dashboard and
PodMonitor go by the name, which is why no value changes it. */}}
{{- define "canang.selector" -}}
app.kubernetes.io/name: {{ ternary "redis" "canang" (eq .component "redis") }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{- define "canang.podLabels" -}}
{{ include "canang.selector" . }}
app.kubernetes.io/part-of: canang
{{- end -}}

{{/* Name, namespace, labels and annotations of an object:
(dict "root" $ "component" "server" "name" "..." "labels" (dict) "annotations" (dict)). */}}
{{- define "canang.metadata" -}}
{{- $own := include "canang.podLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $own "app.kubernetes.io/version" .root.Chart.AppVersion -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") -}}
name: {{ .name | default (include "canang.fullname" .root) }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- merge $own (.labels | default dict) .root.Values.commonLabels | toYaml | nindent 2 }}
{{- with merge (deepCopy (.annotations | default dict)) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* --- options */}}

{{/* A value as text. A number of YAML has become a float, which would print 1000000 as 1e+06. */}}
{{- define "canang.text" -}}
{{- if kindIs "slice" . -}}
{{- $texts := list -}}
{{- range . }}{{ $texts = append $texts (include "canang.text" .) }}{{ end -}}
{{- join "," $texts -}}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* The variables of the pods, as YAML: those of k8s/base, what follows from other values, the options. */}}
{{- define "canang.environment" -}}
{{- $environment := dict -}}
{{- range $line := splitList "\n" (.Files.Get "files/canang.env") -}}
  {{- if regexMatch "^CANANG_[A-Z_]+=" $line -}}
    {{- $pair := regexSplit "=" $line 2 -}}
    {{- $_ := set $environment (first $pair) (last $pair) -}}
  {{- end -}}
{{- end -}}
{{- if .Values.redis.enabled -}}
  {{- $_ := set $environment "CANANG_REDIS" (printf "redis://%s:6379" (include "canang.redisName" .)) -}}
{{- end -}}
{{- if .Values.config.secret -}}
  {{- $_ := set $environment "CANANG_CONFIG" "/etc/canang/redis/canang.conf" -}}
{{- else if .Values.config.toml -}}
  {{- $_ := set $environment "CANANG_CONFIG" "/etc/canang/config/canang.conf" -}}
{{- end -}}
{{- if .Values.internalKey.secret -}}
  {{- $_ := set $environment "CANANG_INTERNAL_KEY_FILE" "/etc/canang/internal/key" -}}
{{- end -}}
{{- if .Values.tls.secret -}}
  {{- $_ := set $environment "CANANG_TLS_CERT" "/etc/canang/tls/tls.crt" -}}
  {{- $_ := set $environment "CANANG_TLS_KEY" "/etc/canang/tls/tls.key" -}}
{{- end -}}
{{- range $name, $value := .Values.options -}}
  {{- $_ := set $environment (printf "CANANG_%s" ($name | upper | replace "-" "_")) (include "canang.text" $value) -}}
{{- end -}}
{{- toYaml $environment -}}
{{- end -}}

{{/* Of a duration such as 1m30s. */}}
{{- define "canang.milliseconds" -}}
{{- $total := 0 -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 -}}
{{- range $part := regexFindAll "[0-9]+(ms|s|m|h)" . -1 -}}
  {{- $number := regexFind "[1-9][0-9]*" $part | default "0" | int64 -}}
  {{- $total = add $total (mul $number (get $units (regexFind "[a-z]+" $part))) -}}
{{- end -}}
{{- $total -}}
{{- end -}}

{{/* --- parts that two objects share */}}

{{/* The name of the clients' port in the Service. */}}
{{- define "canang.portName" -}}
{{- ternary "https" "http" (not (empty .Values.tls.secret)) -}}
{{- end -}}

{{/* As quickly up as needed; every node that goes sends its clients elsewhere: one at a time, and not for a short
lull. */}}
{{- define "canang.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  selectPolicy: Max
  policies:
    - {type: Percent, value: 100, periodSeconds: 60}
    - {type: Pods, value: 4, periodSeconds: 60}
scaleDown:
  stabilizationWindowSeconds: 600
  policies:
    - {type: Pods, value: 1, periodSeconds: 300}
{{- end -}}

{{- define "canang.endpoint" -}}
- port: internal
  path: /metrics
  # The alert on long drains counts on this: a drain of 30 s has to show in several samples.
  interval: 10s
  scrapeTimeout: 5s
{{- end -}}

{{/* Tolerations of what happens to a machine. */}}
{{- define "canang.evictions" -}}
{{- range $key, $seconds := dict "unreachable" .Values.evictAfterSeconds.unreachable "not-ready" .Values.evictAfterSeconds.notReady }}
- key: node.kubernetes.io/{{ $key }}
  operator: Exists
  effect: NoExecute
  tolerationSeconds: {{ int64 $seconds }}
{{- end }}
{{- end -}}

{{/* Of a node and of the test that asks it. */}}
{{- define "canang.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "canang.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* DNS: the cluster's pods, or its cache on every machine. */}}
{{- define "canang.dns" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
      podSelector:
        matchLabels:
          k8s-app: kube-dns
    - ipBlock:
        cidr: 169.254.20.10/32
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end -}}
