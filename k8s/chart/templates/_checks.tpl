{{/* Values that contradict each other end the rendering, with a line that says which and why. What a single value
may be is in values.schema.json. */}}

{{- define "canang.check" -}}
{{- include "canang.checkDrain" . -}}
{{- include "canang.checkRedis" . -}}
{{- include "canang.checkSecrets" . -}}
{{- include "canang.checkScaling" . -}}
{{- include "canang.checkWaysIn" . -}}
{{- if and .Values.config.secret .Values.config.toml -}}
  {{- fail "config.secret and config.toml: the server reads one config file, so only one of them can be given" -}}
{{- end -}}
{{- if and .Values.monitoring.podMonitor.enabled .Values.monitoring.serviceMonitor.enabled -}}
  {{- fail "monitoring: podMonitor and serviceMonitor scrape the same nodes; together they would count everything twice" -}}
{{- end -}}
{{- end -}}

{{- define "canang.checkDrain" -}}
{{- $environment := include "canang.environment" . | fromYaml -}}
{{- $grace := include "canang.milliseconds" $environment.CANANG_DRAIN_GRACE | int64 -}}
{{- $period := include "canang.milliseconds" $environment.CANANG_DRAIN_PERIOD | int64 -}}
{{- $least := div (add $grace $period 10999) 1000 -}}
{{- if lt (int64 .Values.terminationGracePeriodSeconds) $least -}}
  {{- fail (printf "terminationGracePeriodSeconds is %d: the kubelet would kill a node that still drains; with drain-grace %s and drain-period %s it has to be %d or more" (int64 .Values.terminationGracePeriodSeconds) $environment.CANANG_DRAIN_GRACE $environment.CANANG_DRAIN_PERIOD $least) -}}
{{- end -}}
{{- if le $grace 4000 -}}
  {{- fail (printf "options.drain-grace is %s: the readiness probe takes 4s to notice that a node drains, so it has to be longer" $environment.CANANG_DRAIN_GRACE) -}}
{{- end -}}
{{- end -}}

{{- define "canang.checkRedis" -}}
{{- $elsewhere := or .Values.config.secret (hasKey .Values.options "redis") -}}
{{- $given := or $elsewhere (regexMatch "(?m)^redis *=" .Values.config.toml) -}}
{{- if and .Values.redis.enabled $given -}}
  {{- fail "redis.enabled: that Redis would be used instead of the one that config or options.redis names; set it to false" -}}
{{- end -}}
{{- $many := or .Values.autoscaling.enabled (gt (int64 .Values.replicas) 1) -}}
{{- if and $many (not .Values.redis.enabled) (not $given) (empty .Values.env) -}}
  {{- fail "nothing links the nodes: give config.secret, options.redis or redis.enabled=true, or set replicas to 1" -}}
{{- end -}}
{{- end -}}

{{- define "canang.checkSecrets" -}}
{{- range $name := list "internal-key" "api-key" "token-hmac-secret" "hook-secret" -}}
  {{- if hasKey $.Values.options $name -}}
    {{- fail (printf "options.%s is a secret, and options are in a ConfigMap: put it into config.secret, or give it as `env` with a secretKeyRef" $name) -}}
  {{- end -}}
{{- end -}}
{{- if regexMatch "://[^,/@]*:[^,/@]+@" (include "canang.text" (get .Values.options "redis" | default "")) -}}
  {{- fail "options.redis has a password, and options are in a ConfigMap: put it into config.secret" -}}
{{- end -}}
{{- if hasKey .Values.options "config" -}}
  {{- fail "options.config: give config.secret or config.toml, which also mount the file" -}}
{{- end -}}
{{- if hasKey .Values.options "internal-tls-cert" -}}
  {{- fail "options.internal-tls-cert: probes and scrapes of this chart ask the internal port without TLS" -}}
{{- end -}}
{{- end -}}

{{- define "canang.checkScaling" -}}
{{- with .Values.autoscaling -}}
{{- if .enabled -}}
  {{- if gt (int64 .minReplicas) (int64 .maxReplicas) -}}
    {{- fail "autoscaling.minReplicas is above maxReplicas" -}}
  {{- end -}}
  {{- $most := include "canang.text" (get $.Values.options "max-connections" | default "auto") -}}
  {{- if and (ne $most "auto") (ge (int64 .connectionsPerNode) (int64 $most)) -}}
    {{- fail (printf "autoscaling.connectionsPerNode is %d: nodes that refuse clients at options.max-connections (%s) would never ask for more nodes" (int64 .connectionsPerNode) $most) -}}
  {{- end -}}
  {{- if and (eq .by "keda") (not .keda.prometheus) -}}
    {{- fail "autoscaling.keda.prometheus: KEDA has to know where Prometheus is, such as http://prometheus-operated.monitoring:9090" -}}
  {{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "canang.checkWaysIn" -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
  {{- fail "ingress.hosts: name at least one" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
  {{- fail "httpRoute.parentRefs: name the Gateway" -}}
{{- end -}}
{{- if and .Values.tls.secret (or .Values.ingress.enabled .Values.httpRoute.enabled) -}}
  {{- fail "tls.secret: the nodes would speak TLS to an ingress or a Gateway that speaks plain HTTP; let TLS end there (ingress.tls, or the Gateway's listener)" -}}
{{- end -}}
{{- end -}}
