package main

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
)

const (
	suffix     = ".svc.cluster.local."
	ttlSeconds = 5 // as CoreDNS has it for Services
	largest    = 512
)

type names struct {
	services corelisters.ServiceLister
	slices   discoverylisters.EndpointSliceLister
}

// What a cluster's DNS says of Services, over UDP: A records of what has a VIP and of what is headless. A pod in
// the place of CoreDNS.
func dns(arguments []string) error {
	client, err := inCluster()
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, time.Hour)
	known := names{factory.Core().V1().Services().Lister(), factory.Discovery().V1().EndpointSlices().Lister()}
	forever := make(chan struct{})
	factory.Start(forever)
	factory.WaitForCacheSync(forever)
	socket, err := net.ListenPacket("udp", arguments[0])
	if err != nil {
		return err
	}
	fmt.Println("dns is ready")
	buffer := make([]byte, largest)
	for {
		size, from, err := socket.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if reply := known.answer(buffer[:size]); reply != nil {
			socket.WriteTo(reply, from)
		}
	}
}

// Nothing to what is no question.
func (n names) answer(question []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || m.Response || len(m.Questions) != 1 {
		return nil
	}
	asked := m.Questions[0]
	m.Response, m.Authoritative, m.RecursionAvailable, m.Additionals = true, true, true, nil
	addresses, found := n.lookUp(strings.ToLower(asked.Name.String()))
	if !found {
		m.RCode = dnsmessage.RCodeNameError
	}
	if asked.Type == dnsmessage.TypeA {
		for _, address := range addresses {
			header := dnsmessage.ResourceHeader{Name: asked.Name, Class: dnsmessage.ClassINET, TTL: ttlSeconds}
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: address.As4()}})
		}
	}
	reply, err := m.Pack()
	if err == nil && len(reply) > largest {
		m.Truncated, m.Answers = true, m.Answers[:len(m.Answers)/2]
		reply, err = m.Pack()
	}
	if err != nil {
		return nil
	}
	return reply
}

func (n names) lookUp(name string) (addresses []netip.Addr, found bool) {
	short, ours := strings.CutSuffix(name, suffix)
	parts := strings.Split(short, ".")
	if !ours || len(parts) != 2 {
		return nil, false
	}
	service, err := n.services.Services(parts[1]).Get(parts[0])
	if err != nil {
		return nil, false
	}
	if service.Spec.ClusterIP != corev1.ClusterIPNone {
		return addIPv4(nil, service.Spec.ClusterIP), true
	}
	of := labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: parts[0]})
	slices, err := n.slices.EndpointSlices(parts[1]).List(of)
	if err != nil {
		return nil, false
	}
	for _, slice := range slices {
		for _, endpoint := range slice.Endpoints {
			ready := endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready
			if ready || service.Spec.PublishNotReadyAddresses {
				for _, text := range endpoint.Addresses {
					addresses = addIPv4(addresses, text)
				}
			}
		}
	}
	return addresses, true
}

func addIPv4(to []netip.Addr, text string) []netip.Addr {
	if address, err := netip.ParseAddr(text); err == nil && address.Is4() {
		return append(to, address)
	}
	return to
}
