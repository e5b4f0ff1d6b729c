package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// An autoscaler waits for the answer, and a node that is gone never gives one.
const patience = 2 * time.Second

var scraping = http.Client{Timeout: patience}

// A gauge without labels, of each pod that answers.
func (s *metricsServer) customMetrics(r *http.Request) (object, error) {
	namespace, wanted, metric := r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("metric")
	pods, err := s.client.CoreV1().Pods(namespace).List(r.Context(), asked(r))
	if err != nil {
		return nil, err
	}
	items := []object{}
	for _, pod := range pods.Items {
		if pod.Status.PodIP == "" || wanted != "*" && wanted != pod.Name {
			continue
		}
		if value, ok := scrape("http://"+net.JoinHostPort(pod.Status.PodIP, s.portOfPods)+"/metrics", metric); ok {
			items = append(items, object{
				"describedObject": object{"kind": "Pod", "namespace": namespace, "name": pod.Name, "apiVersion": "/v1"},
				"metricName":      metric, "timestamp": now(), "value": value, "selector": nil})
		}
	}
	return object{"kind": "MetricValueList", "apiVersion": customGroup + "/" + version, "metadata": object{}, "items": items}, nil
}

func scrape(url, metric string) (string, bool) {
	response, err := scraping.Get(url)
	if err != nil {
		return "", false
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), metric+" "); ok {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// Of a kubelet's /stats/summary.
type podStatistics struct {
	PodRef     struct{ Name, Namespace string }
	Containers []struct {
		Name   string
		CPU    struct{ UsageNanoCores *uint64 }
		Memory struct{ WorkingSetBytes *uint64 }
	}
}

func (s *metricsServer) podMetrics(r *http.Request) (object, error) {
	namespace := r.PathValue("namespace")
	pods, err := s.client.CoreV1().Pods(namespace).List(r.Context(), asked(r))
	if err != nil {
		return nil, err
	}
	wanted, nodes := map[string]corev1.Pod{}, map[string]bool{}
	for _, pod := range pods.Items {
		wanted[pod.Name] = pod
		if pod.Spec.NodeName != "" {
			nodes[pod.Spec.NodeName] = true
		}
	}
	items := []object{}
	for node := range nodes {
		for _, found := range s.statistics(r, node) {
			pod, ok := wanted[found.PodRef.Name]
			containers := containersOf(found)
			if ok && found.PodRef.Namespace == namespace && len(containers) > 0 {
				items = append(items, object{
					"metadata":  object{"name": pod.Name, "namespace": namespace, "labels": pod.Labels},
					"timestamp": now(), "window": "15s", "containers": containers})
			}
		}
	}
	return object{"kind": "PodMetricsList", "apiVersion": resourceGroup + "/" + version, "metadata": object{}, "items": items}, nil
}

// None of a node that does not answer.
func (s *metricsServer) statistics(r *http.Request, node string) []podStatistics {
	var summary struct{ Pods []podStatistics }
	limited, stop := context.WithTimeout(r.Context(), patience)
	defer stop()
	raw, err := s.client.CoreV1().RESTClient().Get().AbsPath("/api/v1/nodes/" + node + "/proxy/stats/summary").DoRaw(limited)
	if err != nil || json.Unmarshal(raw, &summary) != nil {
		return nil
	}
	return summary.Pods
}

func containersOf(pod podStatistics) []object {
	containers := []object{}
	for _, c := range pod.Containers {
		if c.CPU.UsageNanoCores != nil && c.Memory.WorkingSetBytes != nil {
			containers = append(containers, object{"name": c.Name, "usage": object{
				"cpu": fmt.Sprint(*c.CPU.UsageNanoCores, "n"), "memory": fmt.Sprint(*c.Memory.WorkingSetBytes)}})
		}
	}
	return containers
}
