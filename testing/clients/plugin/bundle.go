package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"time"

	agentstorev1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/server/agentstore/v1"
	identityproviderv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/server/identityprovider/v1"
	publishv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/bundlepublisher/v1"
	notifyv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/notifier/v1"
	upstreamv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/upstreamauthority/v1"
	"github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func agentInfo(id string) *agentstorev1.GetAgentInfoRequest {
	return &agentstorev1.GetAgentInfoRequest{AgentId: id}
}

func identityRequest() *identityproviderv1.FetchX509IdentityRequest {
	return &identityproviderv1.FetchX509IdentityRequest{}
}

type publisher struct {
	common
	publishv1.UnimplementedBundlePublisherServer
}

func (p *publisher) PublishBundle(_ context.Context, r *publishv1.PublishBundleRequest) (*publishv1.PublishBundleResponse, error) {
	b := r.Bundle
	p.note("published %s x509 %d jwt %d", b.TrustDomain, len(b.X509Authorities), len(b.JwtAuthorities))
	return &publishv1.PublishBundleResponse{}, nil
}

// notifier objects to bundles of the trust domain "objectionable.test".
type notifier struct {
	common
	notifyv1.UnimplementedNotifierServer
}

func (p *notifier) NotifyAndAdvise(_ context.Context, r *notifyv1.NotifyAndAdviseRequest) (*notifyv1.NotifyAndAdviseResponse, error) {
	b := r.GetBundleLoaded().GetBundle()
	if b.TrustDomain == "objectionable.test" {
		return nil, status.Error(codes.FailedPrecondition, "not with me")
	}
	p.note("loaded %s x509 %d", b.TrustDomain, len(b.X509Authorities))
	return &notifyv1.NotifyAndAdviseResponse{}, nil
}

func (p *notifier) Notify(_ context.Context, r *notifyv1.NotifyRequest) (*notifyv1.NotifyResponse, error) {
	b := r.GetBundleUpdated().GetBundle()
	p.note("updated %s x509 %d", b.TrustDomain, len(b.X509Authorities))
	return &notifyv1.NotifyResponse{}, nil
}

// upstream is a CA of its own, new at each start. It takes no JWT keys.
type upstream struct {
	common
	upstreamv1.UnimplementedUpstreamAuthorityServer
	key  *ecdsa.PrivateKey
	root *x509.Certificate
}

func (p *upstream) authority() error {
	if p.root != nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "plugin root"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		URIs: []*url.URL{{Scheme: "spiffe", Host: p.domain}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	p.key = key
	p.root, err = x509.ParseCertificate(der)
	return err
}

func (p *upstream) MintX509CAAndSubscribe(r *upstreamv1.MintX509CARequest, stream upstreamv1.UpstreamAuthority_MintX509CAAndSubscribeServer) error {
	if err := p.authority(); err != nil {
		return err
	}
	csr, err := x509.ParseCertificateRequest(r.Csr)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "below the plugin"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(30 * time.Minute),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, URIs: csr.URIs,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.root, csr.PublicKey, p.key)
	if err != nil {
		return err
	}
	p.note("minted for %s", csr.URIs[0])
	roots := []*types.X509Certificate{{Asn1: p.root.Raw}}
	err = stream.Send(&upstreamv1.MintX509CAResponse{X509CaChain: []*types.X509Certificate{{Asn1: der}}, UpstreamX509Roots: roots})
	if err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}
