package main

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/cert"
)

const (
	customGroup   = "custom.metrics.k8s.io"
	resourceGroup = "metrics.k8s.io"
	version       = "v1beta1"
)

type object = map[string]any

// What autoscalers ask for, read when they ask: CPU and memory of pods from their kubelets, in the place of
// metrics-server, and gauges of the pods' own pages, in the place of Prometheus and its adapter.
type metricsServer struct {
	client     *kubernetes.Clientset
	portOfPods string
}

func metrics(arguments []string) error {
	client, err := inCluster()
	if err != nil {
		return err
	}
	page, key, err := cert.GenerateSelfSignedCertKey("metrics", nil, nil)
	if err != nil {
		return err
	}
	identity, err := tls.X509KeyPair(page, key)
	if err != nil {
		return err
	}
	server := http.Server{
		Addr:      arguments[0],
		Handler:   (&metricsServer{client, arguments[1]}).routes(),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{identity}},
	}
	return server.ListenAndServeTLS("", "")
}

func (s *metricsServer) routes() http.Handler {
	custom, resource := "GET /apis/"+customGroup+"/"+version, "GET /apis/"+resourceGroup+"/"+version
	routes := http.NewServeMux()
	routes.HandleFunc(custom, resources(customGroup, "pods/canang_connections", "MetricValueList"))
	routes.HandleFunc(custom+"/namespaces/{namespace}/pods/{pod}/{metric}", s.replying(s.customMetrics))
	routes.HandleFunc(resource, resources(resourceGroup, "pods", "PodMetrics"))
	routes.HandleFunc(resource+"/namespaces/{namespace}/pods", s.replying(s.podMetrics))
	return routes
}

func resources(group, name, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		one := object{"name": name, "singularName": "", "namespaced": true, "kind": kind, "verbs": []string{"get", "list"}}
		reply(w, object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group + "/" + version,
			"resources": []object{one}})
	}
}

func reply(w http.ResponseWriter, what object) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(what)
}

func (s *metricsServer) replying(find func(*http.Request) (object, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		found, err := find(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		reply(w, found)
	}
}

// The pods that a request is about.
func asked(r *http.Request) metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: r.URL.Query().Get("labelSelector")}
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }
