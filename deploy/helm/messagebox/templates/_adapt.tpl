{{/* Each definition changes an object that was read from ../base or ../components, and prints nothing. */}}

{{- define "messagebox.labels" -}}
app.kubernetes.io/name: messagebox
{{- end }}

{{- define "messagebox.image" -}}
{{- $images := .root.Values.images }}
{{- $registry := required "images.registry is missing: where api, realtime and overlay are" $images.registry }}
{{- with index $images.digests .service }}
{{- printf "%s/%s@%s" $registry $.service . }}
{{- else }}
{{- printf "%s/%s:%s" $registry .service ($images.tag | default .root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "messagebox.config" -}}
{{- $config := dict }}
{{- range splitList "\n" (.Files.Get "base/config.env") }}
{{- if regexMatch "^[A-Z_]+=" . }}
{{- $_ := set $config (regexFind "^[A-Z_]+" .) (regexReplaceAll "^[A-Z_]+=" . "") }}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.config }}
{{- /* Helm reads numbers as float64, and would write 1000000 as 1e+06. */}}
{{- if kindIs "float64" $value }}{{ $value = toJson $value }}{{ end }}
{{- $_ := set $config $name (toString $value) }}
{{- end }}
{{- if eq $config.NETWORK "main" }}
{{- range list "HOSTING_DOMAIN" "WALLET_STORAGE_URL" }}
{{- if not (hasPrefix "https://" (get $config .)) }}{{ fail (printf "config.%s is missing: an https:// address" .) }}{{ end }}
{{- end }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* `object`, and `root` */}}
{{- define "messagebox.adapt" -}}
{{- $object := .object }}
{{- $root := .root }}
{{- $labels := include "messagebox.labels" $root | fromYaml }}
{{- $_ := set $object.metadata "namespace" $root.Release.Namespace }}
{{- $_ := set $object.metadata "labels" (merge (dict) $labels ($object.metadata.labels | default dict)) }}
{{- if has $object.kind (list "Deployment" "Job") }}
{{- include "messagebox.adaptPod" . }}
{{- end }}
{{- if has $object.kind (list "Deployment" "PodDisruptionBudget") }}
{{- $_ := set $object.spec.selector "matchLabels" (merge (dict) $labels $object.spec.selector.matchLabels) }}
{{- end }}
{{- if eq $object.kind "Service" }}
{{- $_ := set $object.spec "selector" (merge (dict) $labels $object.spec.selector) }}
{{- end }}
{{- if eq $object.kind "Job" }}
{{- $hook := dict "helm.sh/hook" "pre-install,pre-upgrade" "helm.sh/hook-delete-policy" "before-hook-creation" }}
{{- $_ := set $object.metadata "annotations" $hook }}
{{- end }}
{{- end }}

{{- define "messagebox.adaptPod" -}}
{{- $root := .root }}
{{- $template := .object.spec.template }}
{{- $pod := $template.spec }}
{{- $container := first $pod.containers }}
{{- $service := ternary "api" $container.name (eq $container.name "migrate") }}
{{- $settings := index $root.Values $service }}
{{- $labels := include "messagebox.labels" $root | fromYaml }}
{{- $_ := set $template.metadata "labels" (merge (dict) $labels $template.metadata.labels) }}
{{- $_ := set $container "image" (include "messagebox.image" (dict "root" $root "service" $service)) }}
{{- range $container.env }}
{{- with .valueFrom }}{{ with .secretKeyRef }}{{ $_ := set . "name" $root.Values.existingSecret }}{{ end }}{{ end }}
{{- end }}
{{- with concat $root.Values.extraEnv $settings.extraEnv }}
{{- $_ := set $container "env" (concat $container.env .) }}
{{- end }}
{{- with $root.Values.images.pullSecrets }}{{ $_ := set $pod "imagePullSecrets" . }}{{ end }}
{{- with $settings.nodeSelector }}{{ $_ := set $pod "nodeSelector" . }}{{ end }}
{{- with $settings.tolerations }}{{ $_ := set $pod "tolerations" . }}{{ end }}
{{- if eq .object.kind "Deployment" }}
{{- with $settings.affinity }}{{ $_ := set $pod "affinity" . }}{{ end }}
{{- with $settings.resources }}{{ $_ := set $container "resources" . }}{{ end }}
{{- $checksum := include "messagebox.config" $root | sha256sum }}
{{- $_ := set $template.metadata "annotations" (merge (dict "checksum/config" $checksum) $template.metadata.annotations) }}
{{- if not (and $root.Values.autoscaling.enabled (hasKey $root.Values.autoscaling $service)) }}
{{- $_ := set .object.spec "replicas" $settings.replicas }}
{{- end }}
{{- end }}
{{- end }}

{{/* Prints the objects of `file`, each adapted. `root`; `edit` may name a definition that gets each object as well. */}}
{{- define "messagebox.objects" -}}
{{- $root := .root }}
{{- $edit := .edit }}
{{- range $text := splitList "\n---\n" ($root.Files.Get .file) }}
{{- $object := fromYaml $text }}
{{- include "messagebox.adapt" (dict "object" $object "root" $root) }}
{{- with $edit }}{{ include . (dict "object" $object "root" $root) }}{{ end }}
---
{{ toYaml $object }}
{{- end }}
{{- end }}

{{- define "messagebox.editIngress" -}}
{{- $ingress := .root.Values.ingress }}
{{- $host := $ingress.host | default (trimPrefix "https://" .root.Values.config.HOSTING_DOMAIN) }}
{{- $_ := set .object.spec "ingressClassName" $ingress.className }}
{{- $_ := set (first .object.spec.rules) "host" (required "ingress.host is missing" $host) }}
{{- with .root.Values.config.ROUTING_PREFIX }}
{{- $http := (first $.object.spec.rules).http }}
{{- $sockets := first $http.paths }}
{{- $prefixed := merge (dict "path" (printf "%s%s" (trimSuffix "/" .) $sockets.path)) $sockets }}
{{- $_ := set $http "paths" (prepend $http.paths $prefixed) }}
{{- end }}
{{- with $ingress.tlsSecret }}
{{- $_ := set $.object.spec "tls" (list (dict "hosts" (list $host) "secretName" .)) }}
{{- end }}
{{- $_ := set .object.metadata "annotations" (merge (dict) $ingress.annotations .object.metadata.annotations) }}
{{- end }}

{{- define "messagebox.editPolicy" -}}
{{- $settings := .root.Values.networkPolicies }}
{{- $spec := .object.spec }}
{{- $namespaces := dict "ingress-to-public" $settings.ingressNamespace "prometheus-to-internal" $settings.monitoringNamespace }}
{{- with get $namespaces .object.metadata.name }}
{{- $from := dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" .)) }}
{{- $_ := set (first $spec.ingress) "from" (list $from) }}
{{- end }}
{{- with get (dict "to-mysql" $settings.mysql "to-redis" $settings.redis) .object.metadata.name }}
{{- $to := list }}
{{- range .cidrs }}{{ $to = append $to (dict "ipBlock" (dict "cidr" .)) }}{{ end }}
{{- $_ := set $spec "egress" (list (dict "to" $to "ports" (list (dict "port" .port)))) }}
{{- end }}
{{- end }}

{{- define "messagebox.editAutoscaler" -}}
{{- $limits := get .root.Values.autoscaling (trimPrefix "messagebox-" .object.metadata.name) }}
{{- $_ := set .object.spec "minReplicas" $limits.minReplicas }}
{{- $_ := set .object.spec "maxReplicas" $limits.maxReplicas }}
{{- end }}

{{- define "messagebox.editServiceMonitor" -}}
{{- $_ := set .object.metadata "labels" (merge (dict) .root.Values.serviceMonitor.labels .object.metadata.labels) }}
{{- end }}

{{- define "messagebox.editPrometheusRule" -}}
{{- $_ := set .object.metadata "labels" (merge (dict) .root.Values.prometheusRule.labels .object.metadata.labels) }}
{{- end }}
