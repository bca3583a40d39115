package main

import (
	"context"
	"os"
	"strings"

	metricsv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/common/metrics/v1"
	provev1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/nodeattestor/v1"
	workloadv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/workloadattestor/v1"
	attestv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/nodeattestor/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// attestor believes whoever answers a challenge with the same text in capitals. It is loaded under the name "rack".
type attestor struct {
	common
	attestv1.UnimplementedNodeAttestorServer
}

func (p *attestor) Attest(stream attestv1.NodeAttestor_AttestServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if string(first.GetPayload()) == "stranger" {
		return status.Error(codes.PermissionDenied, "strangers are not let in")
	}
	if err := stream.Send(&attestv1.AttestResponse{Response: &attestv1.AttestResponse_Challenge{Challenge: []byte("say it loud")}}); err != nil {
		return err
	}
	second, err := stream.Recv()
	if err != nil {
		return err
	}
	if string(second.GetChallengeResponse()) != "SAY IT LOUD" {
		return status.Error(codes.PermissionDenied, "that was not loud")
	}
	id := "spiffe://" + p.domain + "/spire/agent/rack/" + string(first.GetPayload())
	p.ask(stream.Context(), id)
	return stream.Send(&attestv1.AttestResponse{Response: &attestv1.AttestResponse_AgentAttributes{
		AgentAttributes: &attestv1.AgentAttributes{SpiffeId: id, SelectorValues: []string{"row:7", "loud"}, CanReattest: true},
	}})
}

// ask tries everything that the host has.
func (p *attestor) ask(ctx context.Context, id string) {
	md, _ := metadata.FromIncomingContext(ctx)
	p.note("from %s", strings.Join(md.Get("X-Forwarded-Client-IP"), ","))
	p.note("asked for %s", strings.Join(md.Get("X-Untrusted-Forwarded-Host"), ","))
	_, err := p.agents.GetAgentInfo(ctx, agentInfo(id))
	p.note("agent %s", status.Code(err))
	identity, err := p.identity.FetchX509Identity(ctx, identityRequest())
	if err != nil {
		p.note("identity %v", err)
		return
	}
	p.note("identity %d certificates, key %v, bundle of %s with %d authorities", len(identity.Identity.CertChain),
		len(identity.Identity.PrivateKey) > 0, identity.Bundle.TrustDomain, len(identity.Bundle.X509Authorities))
	_, err = p.metrics.IncrCounter(ctx, &metricsv1.IncrCounterRequest{
		Key: []string{"rack", "seen"}, Val: 1, Labels: []*metricsv1.Label{{Name: "row", Value: "7"}},
	})
	p.note("counted %s", status.Code(err))
}

// prover is the other half. Who it is stands in PLUGIN_TEST_NODE.
type prover struct {
	common
	provev1.UnimplementedNodeAttestorServer
}

func (p *prover) AidAttestation(stream provev1.NodeAttestor_AidAttestationServer) error {
	name := []byte(os.Getenv("PLUGIN_TEST_NODE"))
	if len(name) == 0 {
		name = []byte("node")
	}
	if err := stream.Send(&provev1.PayloadOrChallengeResponse{Data: &provev1.PayloadOrChallengeResponse_Payload{Payload: name}}); err != nil {
		return err
	}
	challenge, err := stream.Recv()
	if err != nil {
		return err
	}
	loud := []byte(strings.ToUpper(string(challenge.Challenge)))
	return stream.Send(&provev1.PayloadOrChallengeResponse{Data: &provev1.PayloadOrChallengeResponse_ChallengeResponse{ChallengeResponse: loud}})
}

// workload knows every process by what its settings say.
type workload struct {
	common
	workloadv1.UnimplementedWorkloadAttestorServer
}

func (p *workload) Attest(_ context.Context, r *workloadv1.AttestRequest) (*workloadv1.AttestResponse, error) {
	p.note("asked for a pid %v", r.Pid > 0)
	return &workloadv1.AttestResponse{SelectorValues: []string{"seen:yes"}}, nil
}
