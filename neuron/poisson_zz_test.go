package neuron
import ("testing";"hmn/event/random";"math/bits")
var sink uint64
func BenchmarkZAt(b *testing.B){ k:=random.NewKey(1,2,3); var s uint64; c:=uint64(0)
 for b.Loop(){ for i:=range uint64(1000){ x,y:=k.At(i,c); s+=x^y }; c++ }; sink=s
 b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c)/1000,"ns/At")}
func BenchmarkZAtLatency(b *testing.B){ k:=random.NewKey(1,2,3); var s uint64; c:=uint64(0)
 for b.Loop(){ for range uint64(1000){ x,y:=k.At(s,c); s=x^y }; c++ }; sink=s
 b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c)/1000,"ns/At")}
func BenchmarkZOffsetsNoSum(b *testing.B){ d,_:=NewPoissonDrive(20e3,random.NewKey(1,2,3)); var buf [64]uint32; n:=0; c:=int64(0)
 for b.Loop(){ for i:=range uint32(1000){ n+=len(d.Offsets(i,c,&buf)) }; c++ }
 b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c)/1000,"ns/cell")}
func BenchmarkZCount(b *testing.B){ d,_:=NewPoissonDrive(20e3,random.NewKey(1,2,3)); n:=0; c:=uint64(0)
 for b.Loop(){ for i:=range uint64(1000){ a,_:=d.key.At(i,c); n+=d.table.Count(a) }; c++ }
 b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c)/1000,"ns/cell")}
func BenchmarkZAt2(b *testing.B){ k:=uint64(random.NewKey(1,2,3)); var s uint64; c:=uint64(0)
 for b.Loop(){ for i:=range uint64(1000){ a,x,y,z:=at2(k,i,c); s+=x^y^a^z }; c++ }; sink=s
 b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c)/2000,"ns/At")}
//go:noinline
func at2(key,e,c uint64)(a,b,a1,b1 uint64){
 a,b=c,e; a1,b1=c+1,e
 for range 10 {
 h,l:=bits.Mul64(0xd2b74407b1ce6e93,a)
 h1,l1:=bits.Mul64(0xd2b74407b1ce6e93,a1)
 a,b=h^key^b,l
 a1,b1=h1^key^b1,l1
 key+=0x9e3779b97f4a7c15
 }
 return
}
